import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, freePort, RedisServer } from './redis-server.js';

export const MASTER_NAME = 'tokens';

export interface SentinelGroup {
  readonly sentinels: { host: string; port: number }[];
  readonly servers: readonly RedisServer[];
  /** The server that the sentinels name as primary. */
  primary(): Promise<RedisServer>;
  /** Kills the primary and resolves when the sentinels name another one. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** One primary, `replicas` replicas and three sentinels that need half a second to notice a death. */
export async function startSentinels({ replicas = 2 } = {}): Promise<SentinelGroup> {
  const servers: RedisServer[] = [];
  const watchers: RedisServer[] = [];
  const stop = async () => void (await Promise.all([...watchers, ...servers].map((server) => server.stop())));
  try {
    const first = await RedisServer.start({ args: ['--repl-diskless-sync-delay', '0'] });
    servers.push(first);
    while (servers.length <= replicas)
      servers.push(
        await RedisServer.start({ args: ['--replicaof', `127.0.0.1 ${first.port}`, '--repl-diskless-sync-delay', '0'] }),
      );
    while (watchers.length < 3) watchers.push(await startSentinel(first));
    await eventually('the sentinels know each other and the replicas', () => allKnown(watchers, replicas));
  } catch (error) {
    await stop();
    throw error;
  }
  const primary = () => primaryOf(watchers, servers);
  return {
    servers,
    sentinels: watchers.map(({ port }) => ({ host: '127.0.0.1', port })),
    primary,
    failOver: async () => {
      const dead = await primary();
      await dead.kill();
      await eventually('another primary', async () => {
        const now = await primary();
        return now !== dead && /role:master/.test(await now.cli('info', 'replication')) ? now : undefined;
      });
    },
    stop,
  };
}

/** One sentinel that watches `primary`, whose folder it uses. */
export async function startSentinel(primary: RedisServer): Promise<RedisServer> {
  const port = await freePort();
  const folder = primary.folder;
  const path = join(folder, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 500`,
    `sentinel failover-timeout ${MASTER_NAME} 5000`,
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  return RedisServer.start({ port, sentinel: true, args: [path, '--sentinel'] });
}

async function allKnown(watchers: readonly RedisServer[], replicas: number): Promise<true | undefined> {
  for (const watcher of watchers) {
    const about = (await watcher.cli('sentinel', 'master', MASTER_NAME)).split('\n');
    const numberAt = (name: string) => Number(about[about.indexOf(name) + 1]);
    if (numberAt('num-slaves') !== replicas || numberAt('num-other-sentinels') !== watchers.length - 1) return undefined;
  }
  return true;
}

async function primaryOf(watchers: readonly RedisServer[], servers: readonly RedisServer[]): Promise<RedisServer> {
  for (const watcher of watchers) {
    const answer = await watcher.cli('sentinel', 'get-master-addr-by-name', MASTER_NAME).catch(() => '');
    const server = servers.find(({ port }) => port === Number(answer.split('\n')[1]));
    if (server) return server;
  }
  throw new Error('no sentinel names a primary');
}
