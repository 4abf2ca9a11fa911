/** What an argument of a Redis command may be. */
export type RedisArgument = string | Buffer | number;

type Listener = (...args: unknown[]) => void;

/**
 * What this package uses of an ioredis `Redis` or `Cluster`. Structural, so that a client of another installed copy of
 * ioredis fits as well.
 */
export interface RedisClient {
  readonly isCluster: boolean;
  /** `ready` when commands are sent at once; `end` when the client will never connect again. */
  readonly status: string;
  call(command: string, args: RedisArgument[]): Promise<unknown>;
  // Not callBuffer(): a client with `enableAutoPipelining` loses the name of the command and throws where nobody can catch it.
  getBuffer(key: string): Promise<unknown>;
  getexBuffer(key: string): Promise<unknown>;
  getexBuffer(key: string, unit: 'PX', expireAfterMs: number): Promise<unknown>;
  scanBuffer(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    keys: number,
    type: 'TYPE',
    wanted: string,
  ): Promise<unknown>;
  /** Another client with the same options. */
  duplicate(): RedisClient;
  subscribe(channel: string): Promise<unknown>;
  /** Closes at once, without waiting for answers. */
  disconnect(): void;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

interface ClientOptions {
  readonly keyPrefix?: string | null;
  readonly connectTimeout?: number;
  readonly scaleReads?: unknown;
  readonly role?: string;
  readonly readOnly?: boolean;
  readonly redisOptions?: ClientOptions;
}

/** The options that a client was made with. */
export function optionsOf(client: RedisClient): ClientOptions {
  return (client as { readonly options?: ClientOptions }).options ?? {};
}

/** What the client itself puts before every key, without telling. */
export function clientPrefixOf(client: RedisClient): string {
  return optionsOf(client).keyPrefix ?? '';
}

/** True when plain reads may be answered by a replica. */
export function readsFromReplicas(client: RedisClient): boolean {
  return client.isCluster && (optionsOf(client).scaleReads ?? 'master') !== 'master';
}

/** Why {@link isReplicaClient} is refused. */
export const REPLICA_CLIENT = 'such a client reads from a replica: what decides on a refresh has to be read from the primary.';

/** True when every command goes to a replica. */
export function isReplicaClient(client: RedisClient): boolean {
  const { role, readOnly } = optionsOf(client);
  return role === 'slave' || readOnly === true;
}

/**
 * A second client, made as the first one was. Its first command waits for the connection, also where those of the first,
 * which is connected, wait for nothing.
 */
export function duplicateOf(client: RedisClient): RedisClient {
  const queuing = { enableOfflineQueue: true };
  const duplicating = client as { duplicate(...override: unknown[]): RedisClient };
  return client.isCluster ? duplicating.duplicate([], queuing) : duplicating.duplicate(queuing);
}

/** One client per primary. Of a cluster they are known only once it is `ready`. */
export function primariesOf(client: RedisClient): readonly RedisClient[] {
  const { nodes } = client as { readonly nodes?: (role: 'master') => readonly RedisClient[] };
  return client.isCluster && nodes ? nodes.call(client, 'master') : [client];
}

/** Everything that keeps a process alive: the sockets of a client, also those inside a cluster client. */
export function socketsOf(client: RedisClient): readonly Holding[] {
  // The subscriber that every cluster client opens beside its nodes has no public name; without it nothing is worse but
  // that the process stays until close().
  const { nodes, subscriber } = client as {
    readonly nodes?: () => readonly RedisClient[];
    readonly subscriber?: { getInstance?(): RedisClient | null };
  };
  const parts = client.isCluster ? [...(nodes?.call(client) ?? []), subscriber?.getInstance?.()] : [client];
  return parts.flatMap((part) => (part as { readonly stream?: Holding } | undefined | null)?.stream ?? []);
}

export interface Holding {
  ref?(): unknown;
  unref?(): unknown;
}
