/**
 * What this package needs to know about msal-node, as structural types: nothing of msal-node is imported, so that one
 * program may mix versions 3.8 to 7.
 */

/** msal-node's `TokenCache`, as far as a cache plugin sees it. */
export interface MsalTokenCache {
  serialize(): string;
  deserialize(state: string): void;
}

/** msal-node's `TokenCacheContext`. */
export interface CacheContext {
  /** True in a section that may write; says nothing about whether anything was written. */
  readonly cacheHasChanged: boolean;
  readonly tokenCache: MsalTokenCache;
}

/** msal-node's `ICachePlugin`. */
export interface CachePlugin {
  beforeCacheAccess(context: CacheContext): Promise<void>;
  afterCacheAccess(context: CacheContext): Promise<void>;
}

/** msal-node's `ICacheClient`. */
export interface CacheClient {
  get(key: string): Promise<string>;
  set(key: string, value: string): Promise<string>;
}

/** msal-node's `IPartitionManager`. */
export interface PartitionManager {
  getKey(): Promise<string>;
  extractKey(account: { readonly homeAccountId: string }): Promise<string>;
}

/** Entities by section and key, as msal-node's serialised form has them. */
export type SerializedSection = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
export type SerializedCache = Readonly<Record<string, SerializedSection | undefined>>;

/** The live map behind a token cache; in every version the class has it, and in none the interface. */
export function kvStoreOf(tokenCache: MsalTokenCache): Record<string, unknown> | undefined {
  const { getKVStore } = tokenCache as { getKVStore?: () => Record<string, unknown> };
  return getKVStore?.call(tokenCache);
}
