import { TokenryError, type TokenryErrorOptions } from './tokenry-error.js';

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
