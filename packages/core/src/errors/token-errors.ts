import { TokenryError, type TokenryErrorOptions } from './tokenry-error.js';

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
