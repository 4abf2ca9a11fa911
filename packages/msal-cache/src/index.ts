export { type CacheClientOptions, createCacheClient } from './cache-client.js';
export { createCachePlugin } from './cache-plugin.js';
export { type IdentityPluginOptions, identityPlugin } from './identity-plugin.js';
export type { CacheClient, CacheContext, CachePlugin, PartitionManager } from './msal-types.js';
export type { CachePluginOptions, TokenKeySource } from './options.js';
export { createPartitionManager, type PartitionManagerOptions } from './partition-manager.js';
