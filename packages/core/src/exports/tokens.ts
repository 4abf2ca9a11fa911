/** `@tokenry/core/tokens`: the decoded record on its own, without anything that does I/O. */
export { AccessTokenIndex, type AccessTokenRequest } from '../tokens/access-token-index.js';
export { canonicalEnvironment } from '../tokens/environments.js';
export { mergeTokenCaches } from '../tokens/merge.js';
export type {
  AccessTokenEntity,
  AccountEntity,
  AccountInfo,
  AddedTokens,
  AppMetadataEntity,
  CredentialEntity,
  Entity,
  IdTokenEntity,
  RefreshTokenEntity,
  SectionName,
  StoredAccessToken,
  TokenEvent,
  TokenQuery,
} from '../tokens/schema.js';
export { contains, isReservedScope, normaliseScopes, resourceOf, splitScopes } from '../tokens/scope-set.js';
export { type RefreshApplied, type SliceOptions, TokenCache } from '../tokens/token-cache.js';
