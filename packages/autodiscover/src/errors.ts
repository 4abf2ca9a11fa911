import { TokenryError, type TokenryErrorOptions } from '@tokenry/core';
import { explainTrace } from './discovery/explain.js';
import type { TraceStep } from './discovery/trace.js';

/** Why a discovery ended without an answer. Each has a heading in docs/errors.md. */
export type AutodiscoverErrorCode =
  /** No step led to a mailbox. */
  | 'TOKENRY_AUTODISCOVER_NOT_FOUND'
  /** An Autodiscover server says that there is no such mailbox. */
  | 'TOKENRY_AUTODISCOVER_MAILBOX_NOT_FOUND'
  /** Every reachable endpoint refused the credentials. */
  | 'TOKENRY_AUTODISCOVER_AUTH_FAILED'
  /** Servers sent the mailbox's address round in a circle. */
  | 'TOKENRY_AUTODISCOVER_CIRCULAR_REDIRECT'
  /** More than ten redirects. */
  | 'TOKENRY_AUTODISCOVER_TOO_MANY_REDIRECTS'
  /** The way led to a host outside the trust rules, and nobody allowed it. */
  | 'TOKENRY_AUTODISCOVER_REDIRECT_BLOCKED'
  /** The address is not one that may be discovered. */
  | 'TOKENRY_AUTODISCOVER_INVALID_ADDRESS'
  /** The server asked to come back later, twice. */
  | 'TOKENRY_AUTODISCOVER_SERVER_BUSY'
  /** The organisation is not federated with the one that answered. */
  | 'TOKENRY_AUTODISCOVER_NOT_FEDERATED'
  /** The server failed, on its side. */
  | 'TOKENRY_AUTODISCOVER_SERVER_ERROR'
  /** An answer that is not what the protocol says; inside a discovery it only ends its step. */
  | 'TOKENRY_AUTODISCOVER_MALFORMED_RESPONSE'
  /** The whole discovery took longer than its deadline. */
  | 'TOKENRY_AUTODISCOVER_TIMEOUT'
  /** `closeConnections()` was called while the discovery ran. */
  | 'TOKENRY_AUTODISCOVER_ABORTED'
  /** An authority that Microsoft does not know. */
  | 'TOKENRY_AUTODISCOVER_UNKNOWN_AUTHORITY';

type Short<Code> = Code extends `TOKENRY_AUTODISCOVER_${infer Name}` ? Name : never;

export interface AutodiscoverErrorOptions extends TokenryErrorOptions {
  readonly code: Short<AutodiscoverErrorCode>;
  readonly trace?: readonly TraceStep[];
  /** What the server called it: a SOAP, POX or V2 error code. */
  readonly serverCode?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

const RETRYABLE: ReadonlySet<string> = new Set(['SERVER_BUSY', 'SERVER_ERROR', 'TIMEOUT', 'NOT_FOUND']);

/**
 * A discovery that found nothing, with the trace of what was tried.
 *
 * @example
 * ```ts
 * try {
 *   await discover('ada@corp.example');
 * } catch (error) {
 *   if (AutodiscoverError.is(error)) console.error(error.code, error.explain());
 *   else throw error;
 * }
 * ```
 */
export class AutodiscoverError extends TokenryError {
  static override readonly brand: string = 'AutodiscoverError';
  readonly code: AutodiscoverErrorCode;
  override readonly retryable: boolean;
  /** Every step in order: where it went, how it ended, how long it took. Mailbox names are left out of URLs. */
  readonly trace: readonly TraceStep[];
  readonly serverCode?: string;
  readonly retryAfterMs?: number;

  constructor(message: string, options: AutodiscoverErrorOptions) {
    super(message, options);
    this.code = `TOKENRY_AUTODISCOVER_${options.code}`;
    this.retryable = RETRYABLE.has(options.code);
    this.trace = Object.freeze([...(options.trace ?? [])]);
    if (options.serverCode !== undefined) this.serverCode = options.serverCode;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }

  /** Why all steps failed, in sentences for a person: one for the outcome, one for each step, one for what to do next. */
  explain(): string {
    return explainTrace(this.message, this.code, this.trace);
  }
}
