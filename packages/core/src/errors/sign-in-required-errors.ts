import { TokenryError, type TokenryErrorOptions } from './tokenry-error.js';

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
