import { redact } from './observability/redact.js';

/**
 * Every error that Tokenry throws on purpose. Each class has a literal `code` and tells whether trying again can help.
 * Catch by class, by `code`, or with the class's `is(error)`, which also recognises errors of another installed copy of
 * this package.
 *
 * No message, property, `inspect` or JSON of these objects holds a token, secret, password, assertion, code or verifier.
 * Each code has a heading in docs/errors.md.
 */

const BRAND = Symbol.for('tokenry.error');
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export interface TokenryErrorOptions {
  readonly cause?: unknown;
}

/** Parent of all errors of this family. */
export abstract class TokenryError extends Error {
  static readonly brand: string = 'TokenryError';
  abstract readonly code: `TOKENRY_${string}`;
  /** Whether the same call can succeed later without anyone changing anything. */
  readonly retryable: boolean = false;

  constructor(message: string, options: TokenryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Object.defineProperty(this, 'name', { value: new.target.brand, configurable: true, writable: true });
    Object.defineProperty(this, BRAND, { value: brandsOf(new.target) });
  }

  /** True for an error of this class or a subclass, also one thrown by another installed copy of this package. */
  static is<T extends TokenryError>(
    this: (abstract new (...args: never[]) => T) & { readonly brand: string },
    error: unknown,
  ): error is T {
    if (typeof error !== 'object' || error === null) return false;
    const brands = (error as Record<symbol, unknown>)[BRAND];
    // biome-ignore lint/complexity/noThisInStatic: a subclass asks for its own brand
    return Array.isArray(brands) && brands.includes(this.brand);
  }

  /** Own fields. The cause is left out: its author may not be as careful with secrets. */
  toJSON(): Record<string, unknown> {
    const fields: Record<string, unknown> = { name: this.name, code: this.code, message: this.message };
    for (const [key, value] of Object.entries(this)) if (key !== 'cause' && value !== undefined) fields[key] = value;
    return fields;
  }

  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { name: _name, message: _message, ...fields } = this.toJSON();
    const cause = this.cause === undefined ? '' : `\n  [cause]: ${redact(describeCause(this.cause))}`;
    return `${this.stack ?? `${this.name}: ${this.message}`} ${inspect(fields, options)}${cause}`;
  }
}

function brandsOf(family: { readonly brand: string }): readonly string[] {
  const brands: string[] = [];
  for (let at: unknown = family; typeof at === 'function' && 'brand' in at; at = Object.getPrototypeOf(at))
    brands.push(String(at.brand));
  return brands;
}

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? ` (${String(cause.code)})` : '';
  return `${cause.name}: ${cause.message}${code}`;
}

// ── backends ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The store cannot be reached or does not answer in time. Says nothing about whether a token exists. */
export class BackendUnavailableError extends TokenryError {
  static override readonly brand: string = 'BackendUnavailableError';
  readonly code = 'TOKENRY_BACKEND_UNAVAILABLE';
  override readonly retryable = true;
}

/** The store answered that this program may not do this. */
export class BackendAccessDeniedError extends TokenryError {
  static override readonly brand: string = 'BackendAccessDeniedError';
  readonly code = 'TOKENRY_BACKEND_ACCESS_DENIED';
}

/** The store asks to slow down. */
export class BackendThrottledError extends TokenryError {
  static override readonly brand: string = 'BackendThrottledError';
  readonly code = 'TOKENRY_BACKEND_THROTTLED';
  override readonly retryable = true;
  /** How long the store asked to wait, in milliseconds, where it said so. */
  readonly retryAfterMs?: number;
  constructor(message: string, options: TokenryErrorOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** The record is not the one that the write expected; nothing was written. */
export class VersionConflictError extends TokenryError {
  static override readonly brand: string = 'VersionConflictError';
  readonly code = 'TOKENRY_VERSION_CONFLICT';
  override readonly retryable = true;
  readonly key: string;
  constructor(key: string, options: TokenryErrorOptions = {}) {
    super(`The record "${key}" changed since it was read; nothing was written.`, options);
    this.key = key;
  }
}

/** The stored bytes are not a token cache. They stay where they are until a sign-in replaces them. */
export class RecordCorruptError extends TokenryError {
  static override readonly brand: string = 'RecordCorruptError';
  readonly code = 'TOKENRY_RECORD_CORRUPT';
}

/** The record is larger than the store can hold; nothing was sent. */
export class RecordTooLargeError extends TokenryError {
  static override readonly brand: string = 'RecordTooLargeError';
  readonly code = 'TOKENRY_RECORD_TOO_LARGE';
  readonly bytes: number;
  readonly maxRecordBytes: number;
  constructor(key: string, options: TokenryErrorOptions & { readonly bytes: number; readonly maxRecordBytes: number }) {
    super(
      `The record "${key}" has ${options.bytes} bytes; this store holds at most ${options.maxRecordBytes}. ` +
        'Keep fewer accounts in one record: give each its own token key.',
      options,
    );
    this.bytes = options.bytes;
    this.maxRecordBytes = options.maxRecordBytes;
  }
}

export type DecryptFailure = 'unknown-key' | 'tampered' | 'plaintext-refused' | 'wrong-record';

/** The record is there but does not open. */
export class DecryptError extends TokenryError {
  static override readonly brand: string = 'DecryptError';
  readonly code = 'TOKENRY_DECRYPT';
  readonly reason: DecryptFailure;
  constructor(message: string, options: TokenryErrorOptions & { readonly reason: DecryptFailure }) {
    super(message, options);
    this.reason = options.reason;
  }
}

/** This instance cannot do what was asked, and says so before trying. */
export class CapabilityError extends TokenryError {
  static override readonly brand: string = 'CapabilityError';
  readonly code = 'TOKENRY_CAPABILITY';
}

/** Somebody else held the lease for longer than this caller was ready to wait. */
export class LeaseTimeoutError extends TokenryError {
  static override readonly brand: string = 'LeaseTimeoutError';
  readonly code = 'TOKENRY_LEASE_TIMEOUT';
  override readonly retryable = true;
  /** Who holds it, as that process named itself. */
  readonly holder: string;
  constructor(message: string, options: TokenryErrorOptions & { readonly holder: string }) {
    super(message, options);
    this.holder = options.holder;
  }
}

/** `close()` gave up on saving tokens that the server had already issued. */
export class TokenNotSavedError extends TokenryError {
  static override readonly brand: string = 'TokenNotSavedError';
  readonly code = 'TOKENRY_TOKEN_NOT_SAVED';
  /** The token keys whose newest tokens are lost with this process. */
  readonly tokenKeys: readonly string[];
  constructor(message: string, options: TokenryErrorOptions & { readonly tokenKeys: readonly string[] }) {
    super(message, options);
    this.tokenKeys = options.tokenKeys;
  }
}

// ── sign-in needed ──────────────────────────────────────────────────────────────────────────────────────────────────

export type SignInReason = 'never-signed-in' | 'removed' | 'refused';

export interface SignInRequiredOptions extends TokenryErrorOptions {
  readonly claims?: string | undefined;
  readonly hint?: string | undefined;
  /** AADSTS number, where the server named one. */
  readonly errorCode?: string | undefined;
  readonly suberror?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** "Go to the login page": parent of everything that only a person can mend by signing in. */
export abstract class SignInRequiredError extends TokenryError {
  static override readonly brand: string = 'SignInRequiredError';
  abstract readonly reason: SignInReason;
  /** Claims challenge to pass on to the next sign-in. */
  readonly claims?: string;
  /** What to do about it, in plain language. */
  readonly hint?: string;
  readonly errorCode?: string;
  readonly suberror?: string;
  readonly correlationId?: string;
  constructor(message: string, options: SignInRequiredOptions = {}) {
    super(message, options);
    if (options.claims !== undefined) this.claims = options.claims;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.errorCode !== undefined) this.errorCode = options.errorCode;
    if (options.suberror !== undefined) this.suberror = options.suberror;
    if (options.correlationId !== undefined) this.correlationId = options.correlationId;
  }
}

/** No account is signed in under this token key. */
export class NotAuthenticatedError extends SignInRequiredError {
  static override readonly brand: string = 'NotAuthenticatedError';
  readonly code = 'TOKENRY_NOT_AUTHENTICATED';
  readonly reason = 'never-signed-in';
}

/** The account was signed out or removed, here or by another process. */
export class AccountRemovedError extends SignInRequiredError {
  static override readonly brand: string = 'AccountRemovedError';
  readonly code = 'TOKENRY_ACCOUNT_REMOVED';
  readonly reason = 'removed';
}

/** The server wants the person: consent, a second factor, a policy, or a refresh token it no longer takes. */
export class InteractionRequiredError extends SignInRequiredError {
  static override readonly brand: string = 'InteractionRequiredError';
  readonly code = 'TOKENRY_INTERACTION_REQUIRED';
  readonly reason = 'refused';
}

// ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Several accounts fit and none was named. */
export class AmbiguousAccountError extends TokenryError {
  static override readonly brand: string = 'AmbiguousAccountError';
  readonly code = 'TOKENRY_AMBIGUOUS_ACCOUNT';
  readonly homeAccountIds: readonly string[];
  constructor(message: string, options: TokenryErrorOptions & { readonly homeAccountIds: readonly string[] }) {
    super(message, options);
    this.homeAccountIds = options.homeAccountIds;
  }
}

export interface RefreshFailureOptions extends TokenryErrorOptions {
  readonly errorCode?: string | undefined;
  readonly hint?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** The token endpoint could not be reached or failed; the stored refresh token is untouched. */
export class RefreshFailedError extends TokenryError {
  static override readonly brand: string = 'RefreshFailedError';
  readonly code = 'TOKENRY_REFRESH_FAILED';
  override readonly retryable = true;
  readonly errorCode?: string;
  readonly hint?: string;
  readonly correlationId?: string;
  constructor(message: string, options: RefreshFailureOptions = {}) {
    super(message, options);
    if (options.errorCode !== undefined) this.errorCode = options.errorCode;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.correlationId !== undefined) this.correlationId = options.correlationId;
  }
}

/** The token endpoint asks to slow down; the stored refresh token is untouched. */
export class RefreshThrottledError extends TokenryError {
  static override readonly brand: string = 'RefreshThrottledError';
  readonly code = 'TOKENRY_REFRESH_THROTTLED';
  override readonly retryable = true;
  readonly retryAfterMs?: number;
  readonly errorCode?: string;
  readonly hint?: string;
  constructor(message: string, options: RefreshFailureOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    if (options.errorCode !== undefined) this.errorCode = options.errorCode;
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

// ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The authorization server refused the sign-in or the application. */
export class AuthorizationDeniedError extends TokenryError {
  static override readonly brand: string = 'AuthorizationDeniedError';
  readonly code = 'TOKENRY_AUTHORIZATION_DENIED';
  /** OAuth error code, such as `access_denied` or `invalid_client`. */
  readonly error: string;
  readonly suberror?: string;
  /** AADSTS number, where the server named one. */
  readonly errorCode?: string;
  readonly hint?: string;
  readonly claims?: string;
  readonly correlationId?: string;
  constructor(message: string, options: SignInRequiredOptions & { readonly error: string }) {
    super(message, options);
    this.error = options.error;
    if (options.suberror !== undefined) this.suberror = options.suberror;
    if (options.errorCode !== undefined) this.errorCode = options.errorCode;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.claims !== undefined) this.claims = options.claims;
    if (options.correlationId !== undefined) this.correlationId = options.correlationId;
  }
}

/** The redirect does not belong to the flow that was started. */
export class StateMismatchError extends TokenryError {
  static override readonly brand: string = 'StateMismatchError';
  readonly code = 'TOKENRY_STATE_MISMATCH';
}

/** The sign-in was started too long ago, or its flow object was changed. */
export class FlowExpiredError extends TokenryError {
  static override readonly brand: string = 'FlowExpiredError';
  readonly code = 'TOKENRY_FLOW_EXPIRED';
}

// ── requests and time ───────────────────────────────────────────────────────────────────────────────────────────────

export interface HttpErrorOptions extends TokenryErrorOptions {
  readonly status: number;
  readonly graphCode?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly response?: Response | undefined;
}

/** An API answered with a status of 400 or more. */
export class HttpError extends TokenryError {
  static override readonly brand: string = 'HttpError';
  readonly code = 'TOKENRY_HTTP';
  readonly status: number;
  /** The API's own error code, such as `ErrorItemNotFound`. */
  readonly graphCode?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly #response: Response | undefined;
  constructor(message: string, options: HttpErrorOptions) {
    super(message, options);
    this.status = options.status;
    if (options.graphCode !== undefined) this.graphCode = options.graphCode;
    if (options.requestId !== undefined) this.requestId = options.requestId;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    this.#response = options.response;
  }
  /** The answer itself, body unread; kept out of JSON and `inspect`. */
  get response(): Response | undefined {
    return this.#response;
  }
}

/** One of our own deadlines passed. An aborted `signal` rejects with `signal.reason` instead. */
export class TimeoutError extends TokenryError {
  static override readonly brand: string = 'TimeoutError';
  readonly code = 'TOKENRY_TIMEOUT';
  override readonly retryable = true;
  readonly timeoutMs: number;
  constructor(message: string, options: TokenryErrorOptions & { readonly timeoutMs: number }) {
    super(message, options);
    this.timeoutMs = options.timeoutMs;
  }
}
