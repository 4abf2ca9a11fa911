import { CapabilityError } from '@tokenry/core/backend';
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import type { RedisClient } from './redis-client.js';

/** One server, or several behind Sentinel: the options of ioredis, and a URL. */
export interface RedisServerOptions extends Omit<RedisOptions, 'replyMapping'> {
  /** `redis://user:password@host:6379/0`, or `rediss:` for TLS; the options add what it leaves out, such as the password. */
  readonly url?: string;
}

/** A cluster: some of its nodes, and the options of ioredis. Credentials and TLS belong into `redisOptions`. */
export interface RedisClusterOptions extends Omit<ClusterOptions, 'redisOptions'> {
  readonly cluster: readonly ClusterNode[];
  readonly redisOptions?: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
}

export type RedisClientOptions = RedisServerOptions | RedisClusterOptions;

export const CONNECT_TIMEOUT_MS = 5_000;

type Ioredis = Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>;

/**
 * No reconnecting in the background and no resending: a lost connection ends the client and every command on it at once,
 * and the next command makes a new one. So an outage is an error within milliseconds, never a hanging call; a command whose
 * answer was lost is not sent twice behind the caller's back; and no timer keeps a finished process alive.
 */
const SERVER_DEFAULTS = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
} as const;

const STANDALONE_DEFAULTS = {
  ...SERVER_DEFAULTS,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  // A demoted primary: the next connection asks for the new one.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
};

const CLUSTER_DEFAULTS = {
  clusterRetryStrategy: () => null,
  // Resending after a lost connection could write twice.
  retryDelayOnFailover: 0,
  // A timer; redirections tell of moved slots anyway.
  slotsRefreshInterval: 0,
};

/** A client of our own. It connects with its first command. */
export async function openClient(options: RedisClientOptions): Promise<RedisClient> {
  const ioredis = await loadIoredis();
  const client: RedisClient = 'cluster' in options ? newCluster(ioredis, options) : newRedis(ioredis, options);
  // Commands report their own failures; without a listener ioredis prints every one of them.
  client.on('error', (error) => {
    // ioredis would go on in database 0, which is somebody else's.
    if (isRefusedDatabase(error)) client.disconnect();
  });
  return client;
}

function isRefusedDatabase(error: unknown): boolean {
  return (error as { readonly command?: { readonly name?: unknown } }).command?.name === 'select';
}

function newCluster(ioredis: Ioredis, options: RedisClusterOptions): Cluster {
  const { cluster, redisOptions, ...given } = options;
  return new ioredis.Cluster([...cluster], {
    ...CLUSTER_DEFAULTS,
    ...given,
    redisOptions: { ...SERVER_DEFAULTS, ...redisOptions },
    enableOfflineQueue: true,
    lazyConnect: true,
  });
}

function newRedis(ioredis: Ioredis, options: RedisServerOptions): Redis {
  const { url, ...given } = options;
  // Without it ioredis asks sentinels for the server and then talks to it in the clear, whatever `tls` says.
  const tls = given.sentinels && given.tls ? { enableTLSForSentinelMode: true } : {};
  const all = { ...STANDALONE_DEFAULTS, ...tls, ...given, enableOfflineQueue: true, lazyConnect: true };
  return url === undefined ? new ioredis.Redis(all) : new ioredis.Redis(withCredentials(url, given), all);
}

/** ioredis takes the half of the credentials that a URL leaves out for empty, whatever the options say. */
function withCredentials(url: string, { username, password }: RedisServerOptions): string {
  const whole = new URL(url);
  if (whole.username === '' && whole.password === '') return url;
  if (whole.username === '') whole.username = encodeURIComponent(username ?? '');
  if (whole.password === '') whole.password = encodeURIComponent(password ?? '');
  return whole.href;
}

/** ioredis is loaded when it is first needed, not when this package is. */
async function loadIoredis(): Promise<Ioredis> {
  try {
    return await import('ioredis');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CapabilityError('The package "ioredis" is not installed: npm install ioredis@6', { cause: error });
  }
}
