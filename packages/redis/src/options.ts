import { type BaseTokenBackendOptions, type ClientKind, checkClient, invalidArgument, outOfRange } from '@tokenry/core/backend';
import { checkClientOptions } from './client-options.js';
import type { RedisClientOptions } from './own-client.js';
import { isReplicaClient, REPLICA_CLIENT, type RedisClient } from './redis-client.js';

/** How to reach Redis. Give `client` or `clientOptions`, not both. */
export interface RedisConnectionOptions {
  /** Your `Redis` or `Cluster` of ioredis. It is used as it is and never closed. */
  readonly client?: RedisClient;
  /**
   * For a client of our own, made when it is first needed and closed by `close()`: the options of ioredis, with
   * `url` for a connection URL, `sentinels` and `name` for Sentinel, or `cluster` (nodes) for Cluster.
   * @default `{ host: 'localhost', port: 6379 }`
   */
  readonly clientOptions?: RedisClientOptions;
  /** How long an answer may take; connecting (`clientOptions.connectTimeout`, 5 s) comes on top. @default 5_000 */
  readonly commandTimeoutMs?: number;
  /**
   * How many replicas shall have every write before it counts as made (`WAIT`): what a fail-over then loses, it would have to
   * lose on all of them. When fewer answer in time, the write stands and a `fault` event says `TOKENRY_NOT_REPLICATED`.
   * @default 0
   */
  readonly waitReplicas?: number;
  /** How long a write waits for `waitReplicas`. @default 1_000 */
  readonly waitReplicasTimeoutMs?: number;
}

export interface RedisTokenBackendOptions extends BaseTokenBackendOptions, RedisConnectionOptions {
  /** Records that nobody has read or written for so long are deleted by Redis. @default never */
  readonly expireAfterMs?: number;
  /**
   * Tell the other processes of each change (pub/sub), so that they drop the record from memory at once instead of after
   * `recordCache.revalidateAfterMs`. Takes one more connection per instance. @default false
   */
  readonly invalidation?: boolean;
}

export interface RedisLeasesOptions extends RedisConnectionOptions {
  /** Put before the key of every lease, so that several programs can share one Redis. @default '' */
  readonly keyPrefix?: string;
}

const CONNECTION_OPTIONS = ['client', 'clientOptions', 'commandTimeoutMs', 'waitReplicas', 'waitReplicasTimeoutMs'] as const;

/** Names of the options that this backend adds to those of every backend. */
export const OWN_OPTIONS = [...CONNECTION_OPTIONS, 'expireAfterMs', 'invalidation'] as const;
export const LEASES_OPTIONS = [...CONNECTION_OPTIONS, 'keyPrefix'] as const;

export interface ResolvedConnectionOptions {
  readonly client: RedisClient | undefined;
  readonly clientOptions: RedisClientOptions;
  readonly commandTimeoutMs: number;
  readonly waitReplicas: number;
  readonly waitReplicasTimeoutMs: number;
}

/**
 * Checks how Redis is to be reached, and fills in the defaults.
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`) or RangeError (`TOKENRY_OUT_OF_RANGE`).
 */
export function resolveConnection(options: RedisConnectionOptions): ResolvedConnectionOptions {
  const { client, clientOptions = {}, commandTimeoutMs = 5_000, waitReplicas = 0, waitReplicasTimeoutMs = 1_000 } = options;
  checkClient(options, CLIENT);
  if (client && isReplicaClient(client)) throw invalidArgument(`client: ${REPLICA_CLIENT}`);
  checkDuration('commandTimeoutMs', commandTimeoutMs);
  checkDuration('waitReplicasTimeoutMs', waitReplicasTimeoutMs);
  if (!Number.isInteger(waitReplicas) || waitReplicas < 0)
    throw outOfRange('waitReplicas must be a number of replicas, 0 or more.');
  return {
    client,
    clientOptions: checkClientOptions(clientOptions),
    commandTimeoutMs,
    waitReplicas,
    waitReplicasTimeoutMs,
  };
}

/** Checks what only the backend has. */
export function checkOwnOptions({ expireAfterMs, invalidation }: RedisTokenBackendOptions): void {
  if (expireAfterMs !== undefined) checkDuration('expireAfterMs', expireAfterMs);
  if (invalidation !== undefined && typeof invalidation !== 'boolean')
    throw invalidArgument('invalidation must be true or false.');
}

/** Whole milliseconds: Redis takes no others; more than 32 bits no timer of Node.js does. */
function checkDuration(name: string, value: unknown): void {
  const max = name === 'expireAfterMs' ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max)
    throw outOfRange(`${name} must be a positive whole number of milliseconds.`);
}

const CLIENT: ClientKind = {
  methods: ['call', 'getBuffer', 'getexBuffer', 'scanBuffer', 'duplicate', 'disconnect', 'on', 'off'],
  client: 'a Redis or Cluster of ioredis, such as new Redis("redis://localhost:6379")',
  clientOptions: '{ host: "localhost", port: 6379 }',
};
