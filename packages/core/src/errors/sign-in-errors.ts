import type { SignInRequiredOptions } from './sign-in-required-errors.js';
import { TokenryError } from './tokenry-error.js';

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
