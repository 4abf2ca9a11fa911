/** Where a mailbox is and how to reach it: Exchange Autodiscover, tenant and cloud discovery, Exchange credentials. */

// signing in
export type { AuthorizeRequest, AuthScheme } from './auth/auth-scheme.js';
export { basicAuth } from './auth/basic-auth.js';
export { type BearerAuthOptions, bearerAuth, type TokenSource } from './auth/bearer-auth.js';
export type { AuthChallenge } from './auth/challenges.js';
// cache
export { AutodiscoverCache, type AutodiscoverCacheOptions } from './cache/autodiscover-cache.js';
// clouds and tenants
export { CLOUDS, type CloudName, type MicrosoftCloud } from './cloud/clouds.js';
export { accountOptionsFor, discoverInstance, discoverTenant, type TenantOptions } from './cloud/discover-tenant.js';
export type { InstanceMetadata } from './cloud/instance-discovery.js';
export type { TenantInfo } from './cloud/tenant-lookup.js';
export type { UserRealm } from './cloud/user-realm.js';
// credentials
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
export { AutodiscoverProtocol, type AutodiscoverProtocolOptions } from './discovery/autodiscover-protocol.js';
// discovery
export { Autodiscovery } from './discovery/autodiscovery.js';
export { closeConnections } from './discovery/client-registry.js';
export { clearCache, discover } from './discovery/discover.js';
export type { DiscoverOptions } from './discovery/discover-options.js';
export type { Deprecation, DiscoveryResult, EwsService, MailboxLocation } from './discovery/discovery-result.js';
export type { MailServer, ServiceUrls } from './discovery/finding.js';
export type { NetworkOptions } from './discovery/network-options.js';
export type { StepName, TraceStep } from './discovery/trace.js';
// network and trust
export { createResolver, type DnsResolver, type SrvRecord } from './dns/srv.js';
export { AutodiscoverError, type AutodiscoverErrorCode, type AutodiscoverErrorOptions } from './errors.js';
export type { HostAddress, HostLookup } from './http/host-lookup.js';
export type { ConnectTo } from './http/http-client.js';
export type { SettingsChoice } from './soap/get-user-settings-request.js';
// settings
export type { GetUserSettingsResponse, ServerVersion, SettingError, UserResponse } from './soap/get-user-settings-response.js';
export { ALL_SETTINGS, type SettingName } from './soap/setting-names.js';
export type {
  AlternateMailbox,
  DocumentSharingLocation,
  KnownSettings,
  ProtocolConnection,
  RawSetting,
  UserSettings,
  WebClientUrl,
} from './soap/user-settings.js';
export type { OnRedirect, RedirectKind, RedirectRequest } from './trust/trust-policy.js';
