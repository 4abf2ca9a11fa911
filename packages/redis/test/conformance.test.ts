import type { CreateStore } from '@tokenry/conformance';
import type { BaseTokenBackendOptions } from '@tokenry/core/backend';
import { RedisTokenBackend } from '@tokenry/redis';
import { afterAll } from 'vitest';
import { addConformanceTestsOf, combined } from '../../../test-support/conformance.ts';
import { whereThereIs } from '../../../test-support/where-there-is.ts';
import { redisPrograms } from './servers/availability.js';
import { RedisServer } from './servers/redis-server.js';

const PASSWORD = 'secret-TEST-redis';
const USER = ['ACL', 'SETUSER', 'tokenry', 'on', `>${PASSWORD}`] as const;
const ALLOWED = ['~*', '&*', '+@all'] as const;

/** Durable across a kill: what an outage must not lose. */
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always'];

function storesOn(server: RedisServer, extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    await server.cli('flushall');
    const clientOptions = { host: '127.0.0.1', port: server.port, username: 'tokenry', password: PASSWORD };
    const keyOf = (key: string) => (extra.keyPrefix ?? '') + key;
    return {
      open: async (options) => new RedisTokenBackend({ ...combined(extra, options), clientOptions }),
      readRaw: async (key) => {
        const text = await server.cli('get', keyOf(key));
        return (await server.cli('exists', keyOf(key))) === '0' ? undefined : Buffer.from(text);
      },
      faults: {
        unreachable: async () => {
          await server.kill();
          return async () => {
            await server.resume();
            await grant(server);
          };
        },
        denied: async () => {
          await server.cli(...USER, '-@all', '+info');
          return () => grant(server);
        },
        corrupt: async (key) => void (await server.cli('set', keyOf(key), '{"AccessToken": {"half')),
      },
      destroy: async () => void (await server.cli('flushall')),
    };
  };
}

async function grant(server: RedisServer): Promise<void> {
  await server.cli(...USER, ...ALLOWED);
}

await whereThereIs(redisPrograms, async () => {
  const server = await RedisServer.start({ args: PERSISTENT });
  await grant(server);
  afterAll(() => server.stop());
  await addConformanceTestsOf((extra) => storesOn(server, extra));
});
