import { invalidArgument } from '@tokenry/core/backend';
import type { RedisClientOptions } from './own-client.js';
import { REPLICA_CLIENT } from './redis-client.js';

/** What `redisOptions` holds for every node of a cluster; beside `cluster` ioredis would not look at it. */
const OF_EACH_NODE = ['username', 'password', 'tls'] as const;

type Unchecked = Readonly<Record<string, unknown>>;

/** @throws TypeError when `given` names no server, or where ioredis would silently take another one, or leave something out. */
export function checkClientOptions(given: RedisClientOptions): RedisClientOptions {
  const options = given as Unchecked;
  const { url, sentinels, cluster } = options;
  checkUrl(url);
  const ways = Object.entries({ cluster, sentinels, url }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (ways.length > 1) throw invalidArgument(`clientOptions: ${ways.join(' and ')} exclude each other.`);
  if (options.role === 'slave' || options.readOnly === true) throw invalidArgument(`clientOptions: ${REPLICA_CLIENT}`);
  if (cluster !== undefined) checkCluster(options);
  else checkSentinels(options);
  return given;
}

function checkCluster(options: Unchecked): void {
  const { cluster, redisOptions = {} } = options;
  const isNode = (node: unknown) => isObject(node) || typeof node === 'string' || typeof node === 'number';
  if (!Array.isArray(cluster) || cluster.length === 0 || !cluster.every(isNode))
    throw invalidArgument('clientOptions.cluster must list at least one node, such as [{ host: "10.0.0.1", port: 6379 }].');
  for (const name of OF_EACH_NODE)
    if (options[name] !== undefined)
      throw invalidArgument(
        `clientOptions.${name} of a cluster belongs into clientOptions.redisOptions, which every node is given.`,
      );
  if (!isObject(redisOptions)) throw invalidArgument('clientOptions.redisOptions must be an object, such as { tls: {} }.');
  // ioredis takes host and port out of such a URL, and connects in the clear.
  const wantsTls = cluster.some((node) => typeof node === 'string' && node.startsWith('rediss:'));
  if (wantsTls && !redisOptions.tls)
    throw invalidArgument(
      'clientOptions.cluster names a rediss: URL: give clientOptions.redisOptions.tls, which every node is given.',
    );
  if (redisOptions.db !== undefined && Number(redisOptions.db) !== 0)
    throw invalidArgument('clientOptions.redisOptions.db: a cluster has database 0 only.');
}

function checkSentinels({ sentinels, name }: Unchecked): void {
  if (sentinels === undefined && name === undefined) return;
  if (!Array.isArray(sentinels) || sentinels.length === 0 || !sentinels.every(isObject))
    throw invalidArgument(
      'clientOptions.sentinels must list at least one sentinel, such as [{ host: "10.0.0.1", port: 26379 }].',
    );
  if (typeof name !== 'string' || name === '')
    throw invalidArgument('clientOptions.name must say which group of the sentinels is meant, such as "mymaster".');
}

function checkUrl(url: unknown): void {
  if (url === undefined) return;
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url))
    throw invalidArgument('clientOptions.url must be a URL that begins with redis:// or rediss://.');
  if (!isReadable(url))
    throw invalidArgument('clientOptions.url is no URL. Escape user and password in it, or give them beside it.');
}

/** A password with `#`, `/` or `%` in it makes a URL that cannot be read, or not as it is meant. */
function isReadable(url: string): boolean {
  try {
    const { username, password } = new URL(url);
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
