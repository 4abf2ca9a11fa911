/** `@tokenry/core`: accounts, connections, protocols, the backend contract and every error. */
export type { AccessTokenOptions, AccessTokenResult } from './access-token.js';
export { Account } from './account.js';
export type { AccountGraphAuthProvider, AccountTokenCredential } from './account-adapters.js';
export type { AccountOptions } from './account-options.js';
export type {
  AccessTokenCallback,
  ApplicationCredentials,
  AuthFlowType,
  Certificate,
  ClientAssertionCallback,
  Pfx,
  Source,
} from './application-credentials.js';
export { BaseTokenBackend, type BaseTokenBackendOptions, type OwnBackend } from './backend/base-token-backend.js';
export type { LeaseTiming } from './backend/lease.js';
export type {
  BackendCapabilities,
  Expectation,
  LeaseProvider,
  LeaseRequest,
  ReadOptions,
  RecordStore,
  RefreshRequest,
  RemoveOptions,
  StoredRecord,
  TokenBackend,
  TokenKeyOptions,
  UpdateTokenOptions,
  WriteOptions,
} from './backend/token-backend.js';
export { type Clock, systemClock } from './clock.js';
export { Connection, type RequestOptions } from './connection.js';
export type { CryptographyManager } from './crypto/cryptography-manager.js';
export { JweCryptographyManager, type JweCryptographyManagerOptions } from './crypto/jwe-cryptography-manager.js';
export { type Cloud, type CloudName, clouds } from './entra/cloud.js';
export * from './errors.js';
export type { Fetch } from './http/fetch.js';
export type { JsonReplacer } from './http/json-body.js';
export type { ProxyOptions } from './http/proxy.js';
export type { RetryPolicy } from './http/retry.js';
export type { TransportOptions } from './http/transport.js';
export {
  type AcquireEvent,
  type ConflictEvent,
  channels,
  type FaultEvent,
  type LeaseEvent,
  type RefreshEvent,
  type SaveEvent,
  type TokenryEvents,
} from './observability/events.js';
export { redact } from './observability/redact.js';
export { MSBusinessCentral365Protocol, type MSBusinessCentral365ProtocolOptions } from './protocol/business-central.js';
export { MSGraphProtocol, type MSGraphProtocolOptions } from './protocol/graph.js';
export { Protocol, type ProtocolOptions } from './protocol/protocol.js';
export type { Scopes } from './protocol/scopes.js';
export { ianaToWindows, windowsToIana } from './protocol/timezone.js';
export type { Grant, GrantType } from './provider/grant.js';
export { NotSentError, TokenEndpointError } from './provider/token-endpoint-error.js';
export type {
  AuthorizationRequest,
  Classification,
  DeviceFlow,
  ProviderContext,
  Refusal,
  TokenProvider,
} from './provider/token-provider.js';
export type { RefreshWindows } from './refresh/policy.js';
export type { ConsentHandler, ConsentListener, ConsentRequest, ListenOptions } from './sign-in/consent.js';
export { type DeviceCodeConsentOptions, deviceCodeConsent } from './sign-in/device-code-consent.js';
export { type LoopbackConsentOptions, loopbackConsent } from './sign-in/loopback-consent.js';
export { type PasteConsentOptions, pasteConsent } from './sign-in/paste-consent.js';
export type { SignInFlow } from './sign-in/sign-in-flow.js';
export type { SignInOptions, SignInResult } from './sign-in.js';
export { mergeTokenCaches } from './tokens/merge.js';
export type { AccountInfo, TokenEvent, TokenQuery } from './tokens/schema.js';
export { TokenCache } from './tokens/token-cache.js';
