export type { RedisConnectionOptions, RedisLeasesOptions, RedisTokenBackendOptions } from './options.js';
export type { RedisClientOptions, RedisClusterOptions, RedisServerOptions } from './own-client.js';
export type { RedisArgument, RedisClient } from './redis-client.js';
export { RedisLeases } from './redis-leases.js';
export { RedisTokenBackend } from './redis-token-backend.js';
