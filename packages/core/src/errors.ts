/**
 * Every error that Tokenry throws on purpose. Each class has a literal `code` and tells whether trying again can help.
 * Catch by class, by `code`, or with the class's `is(error)`, which also recognises errors of another installed copy of
 * this package.
 *
 * No message, property, `inspect` or JSON of these objects holds a token, secret, password, assertion, code or verifier.
 * Each code has a heading in docs/errors.md.
 */
export {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  DecryptError,
  type DecryptFailure,
  LeaseTimeoutError,
  RecordCorruptError,
  RecordTooLargeError,
  TokenNotSavedError,
  VersionConflictError,
} from './errors/backend-errors.js';
export { HttpError, type HttpErrorOptions, TimeoutError } from './errors/request-errors.js';
export { AuthorizationDeniedError, FlowExpiredError, StateMismatchError } from './errors/sign-in-errors.js';
export {
  AccountRemovedError,
  InteractionRequiredError,
  NotAuthenticatedError,
  type SignInReason,
  SignInRequiredError,
  type SignInRequiredOptions,
} from './errors/sign-in-required-errors.js';
export {
  AmbiguousAccountError,
  RefreshFailedError,
  type RefreshFailureOptions,
  RefreshThrottledError,
} from './errors/token-errors.js';
export { TokenryError, type TokenryErrorOptions } from './errors/tokenry-error.js';
