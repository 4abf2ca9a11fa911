export { CLOUDS, type CloudName, type MicrosoftCloud } from './cloud/clouds.js';
export { ACCESS_TYPES, type AccessType } from './credentials/access-type.js';
export {
  BaseCredentials,
  type CredentialsDescriptor,
  type CredentialsKind,
  type IdentityDescriptor,
} from './credentials/base-credentials.js';
export {
  type AccessTokenRequest,
  BaseOAuth2Credentials,
  type OAuth2CredentialsOptions,
} from './credentials/base-oauth2-credentials.js';
export { Identity } from './credentials/identity.js';
export { O365InteractiveCredentials } from './credentials/o365-interactive-credentials.js';
export {
  OAuth2AuthorizationCodeCredentials,
  type OAuth2AuthorizationCodeOptions,
} from './credentials/oauth2-authorization-code-credentials.js';
export { OAuth2Credentials } from './credentials/oauth2-credentials.js';
export { OAuth2LegacyCredentials } from './credentials/oauth2-legacy-credentials.js';
export type { OAuth2Token } from './credentials/oauth2-token.js';
export { type CredentialsSecrets, restoreCredentials } from './credentials/restore-credentials.js';
export { UsernamePasswordCredentials, type UsernameType } from './credentials/username-password-credentials.js';
export type { StepName, TraceStep } from './discovery/trace.js';
export { AutodiscoverError, type AutodiscoverErrorCode, type AutodiscoverErrorOptions } from './errors.js';
