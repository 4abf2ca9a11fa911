import { redact } from '../observability/redact.js';
import type { Refusal } from './token-provider.js';

/** The token endpoint answered, and refused. Providers throw it; the coordinator turns it into the public errors. */
export class TokenEndpointError extends Error implements Refusal {
  override readonly name = 'TokenEndpointError';
  readonly error: string;
  readonly status: number;
  readonly suberror?: string;
  /** The server's own words, without what looks like a credential: some servers quote the request. */
  readonly description?: string;
  /** AADSTS number without its prefix, such as `50196`. */
  readonly errorCode?: string;
  readonly claims?: string;
  readonly correlationId?: string;
  readonly retryAfterMs?: number;
  constructor(
    refusal: Refusal & {
      readonly errorCode?: string | undefined;
      readonly claims?: string | undefined;
      readonly correlationId?: string | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    const error = redact(refusal.error);
    super(`The token endpoint answered ${refusal.status} ${error}.`);
    this.error = error;
    this.status = refusal.status;
    if (refusal.suberror !== undefined) this.suberror = refusal.suberror;
    if (refusal.description !== undefined) this.description = redact(refusal.description);
    if (refusal.errorCode !== undefined) this.errorCode = refusal.errorCode;
    if (refusal.claims !== undefined) this.claims = refusal.claims;
    if (refusal.correlationId !== undefined) this.correlationId = refusal.correlationId;
    if (refusal.retryAfterMs !== undefined) this.retryAfterMs = refusal.retryAfterMs;
  }

  /** Also true for an error of another installed copy of this package. */
  static is(error: unknown): error is TokenEndpointError {
    return error instanceof Error && error.name === 'TokenEndpointError';
  }
}

/**
 * Nothing left this machine (no route, refused, TLS): a refresh token cannot have been spent. A `TypeError`, as the platform's
 * `fetch` throws; `cause.code` says why.
 */
export class NotSentError extends TypeError {
  override readonly name = 'NotSentError';

  /** Also true for an error of another installed copy of this package. */
  static is(error: unknown): error is NotSentError {
    return error instanceof Error && error.name === 'NotSentError';
  }
}
