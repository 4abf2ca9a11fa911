import { hash } from 'node:crypto';
import { RedisTokenBackend } from '@tokenry/redis';
import { Redis } from 'ioredis';
import { redisAvailable } from '../../packages/redis/test/servers/availability.ts';
import { RedisServer } from '../../packages/redis/test/servers/redis-server.ts';
import type { BenchStore } from './store.ts';

/** The shortest script that compares: EVALSHA sends its hash only. */
const SAVE = `if redis.sha1hex(redis.call('GET', KEYS[1])) ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

export const redis: BenchStore = {
  name: 'redis',
  rounds: 6_000,
  warmUp: 6_000,
  isHere: () => redisAvailable,
  async start() {
    const server = await RedisServer.start();
    const client = new Redis(server.port, '127.0.0.1');
    const script = String(await client.call('script', ['load', SAVE]));
    return {
      open: (recordCache = {}) => new RedisTokenBackend({ client, recordCache }),
      bare: {
        async read(tokenKey) {
          const text = String(await client.get(tokenKey));
          return {
            text,
            get version() {
              return hash('sha1', text); // as a number that only saves need
            },
          };
        },
        async save(tokenKey, text, version) {
          if ((await client.call('evalsha', [script, 1, tokenKey, text, version])) !== 1) throw new Error('conflict');
        },
      },
      async stop() {
        client.disconnect();
        await server.stop();
      },
    };
  },
};
