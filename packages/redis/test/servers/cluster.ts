import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually, RedisServer } from './redis-server.js';

const run = promisify(execFile);

export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly nodes: { host: string; port: number }[];
  /** Moves so many slots from one primary to another, while clients go on. */
  reshard(slots: number): Promise<void>;
  /** The server that serves the slot of `key`. */
  primaryOf(key: string): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** A cluster on loopback: three primaries with one replica each unless told otherwise. */
export async function startCluster({ primaries = 3, replicas = 1 } = {}): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-config-file', 'nodes.conf'];
  const count = primaries * (1 + replicas);
  const servers: RedisServer[] = [];
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    while (servers.length < count) servers.push(await RedisServer.start({ args: [...args, '--repl-diskless-sync-delay', '0'] }));
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes']);
    await eventually('the whole cluster is up', async () => ((await allUp(servers, primaries * replicas)) ? true : undefined));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    servers,
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    reshard: (slots) => reshard(servers, slots),
    primaryOf: (key) => primaryOf(servers, key),
    stop,
  };
}

async function allUp(servers: readonly RedisServer[], replicas: number): Promise<boolean> {
  for (const server of servers) {
    if (!/cluster_state:ok/.test(await server.cli('cluster', 'info'))) return false;
    const nodes = await server.cli('cluster', 'nodes');
    if (nodes.split('\n').filter((line) => / (myself,)?slave /.test(line)).length !== replicas) return false;
    const replication = await server.cli('info', 'replication');
    if (/role:slave/.test(replication) && !/master_link_status:up/.test(replication)) return false;
  }
  return true;
}

async function nodesOf(servers: readonly RedisServer[]) {
  for (const server of servers) {
    const text = await server.cli('cluster', 'nodes').catch(() => undefined);
    if (text === undefined) continue;
    return text.split('\n').map((line) => {
      const [id = '', address = '', flags = '', , , , , , ...slots] = line.split(' ');
      return { id, port: Number(/:(\d+)@/.exec(address)?.[1]), isPrimary: /master/.test(flags) && !/fail/.test(flags), slots };
    });
  }
  throw new Error('no node of the cluster answers');
}

async function reshard(servers: readonly RedisServer[], slots: number): Promise<void> {
  const [from, to] = (await nodesOf(servers)).filter(({ isPrimary, slots: served }) => isPrimary && served.length > 0);
  if (!from || !to) throw new Error('a cluster of two primaries is needed');
  const what = ['--cluster-from', from.id, '--cluster-to', to.id, '--cluster-slots', String(slots), '--cluster-yes'];
  await run('redis-cli', ['--cluster', 'reshard', `127.0.0.1:${from.port}`, ...what], { maxBuffer: 64 * 1024 * 1024 });
}

async function primaryOf(servers: readonly RedisServer[], key: string): Promise<RedisServer> {
  const [first] = servers;
  const slot = Number(await first?.cli('cluster', 'keyslot', key));
  const serves = ({ isPrimary, slots }: { isPrimary: boolean; slots: readonly string[] }) =>
    isPrimary && slots.some((range) => contains(range, slot));
  const port = (await nodesOf(servers)).find(serves)?.port;
  const server = servers.find((one) => one.port === port);
  if (!server) throw new Error(`nobody serves slot ${slot}`);
  return server;
}

function contains(range: string, slot: number): boolean {
  const [from, to = from] = range.split('-').map(Number);
  return from !== undefined && to !== undefined && from <= slot && slot <= to;
}
