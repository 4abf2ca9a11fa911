import { TokenryError, type TokenryErrorOptions } from './tokenry-error.js';

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
