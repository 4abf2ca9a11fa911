import { setImmediate as turn } from 'node:timers/promises';
import { RedisTokenBackend } from '@tokenry/redis';
import { Redis } from 'ioredis';
import { redisAvailable } from '../../packages/redis/test/servers/availability.ts';
import { RedisServer } from '../../packages/redis/test/servers/redis-server.ts';
import { CLIENT, homeAccountId, record } from '../fixture.ts';
import { median, type Row } from '../row.ts';
import { refreshed } from './refreshed.ts';

const ROUNDS = 1_000;
const KEY = 'shared';
/** What a change takes to be seen without invalidation, at most: the default of `recordCache.revalidateAfterMs`. */
const WITHOUT_MS = 30_000;

/** How long after a save another node hands out what was saved, from its memory; beside a bare message over the same server. */
export async function invalidation(progress: (text: string) => void): Promise<readonly Row[]> {
  if (!redisAvailable) return [];
  progress('redis: invalidation');
  const server = await RedisServer.start();
  const [here, there, listener] = [0, 1, 2].map(() => new Redis(server.port, '127.0.0.1')) as [Redis, Redis, Redis];
  const saving = new RedisTokenBackend({ client: here, invalidation: true });
  const reading = new RedisTokenBackend({ client: there, invalidation: true });
  const seen = async () => {
    const cache = await reading.loadToken({ tokenKey: KEY });
    return cache?.getAccessToken({ homeAccountId: homeAccountId(0), clientId: CLIENT })?.secret;
  };
  let heard = '';
  listener.on('message', (_channel, message) => {
    heard = message;
  });
  await listener.subscribe('bare');
  const [ours, bare]: [number[], number[]] = [[], []];
  try {
    await saving.saveToken(record(0), { tokenKey: KEY });
    await until(async () => (await seen()) !== undefined && (await subscribers(here)) === 2);
    for (let round = 0; round < ROUNDS; round++) {
      const change = refreshed(0, round);
      await saving.updateToken((cache) => cache.add(change), { tokenKey: KEY });
      ours.push(await until(async () => (await seen()) === change.response.access_token));
      await here.publish('bare', String(round));
      bare.push(await until(async () => heard === String(round)));
    }
  } finally {
    await saving.close();
    await reading.close();
    for (const client of [here, there, listener]) client.disconnect();
    await server.stop();
  }
  const ourMs = median(ours);
  return [
    {
      measure: 'redis: a save seen by another node, invalidation',
      ours: ourMs,
      bare: median(bare),
      unit: 'ms',
      target: `told beside a bare message; without: ${WITHOUT_MS / 1000} s`,
      met: ourMs < WITHOUT_MS,
    },
  ];
}

async function subscribers(client: Redis): Promise<number> {
  const [, count] = await client.pubsub('NUMSUB', '=changed');
  return Number(count);
}

/** Milliseconds until `probe` is true. */
async function until(probe: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (!(await probe())) await turn();
  return performance.now() - startedAt;
}
