import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, JweCryptographyManager } from '@tokenry/core/backend';
import { RedisTokenBackend } from '@tokenry/redis';
import { afterAll, describe, test } from 'vitest';
import { whereThereIs } from '../../../test-support/where-there-is.ts';
import { redisPrograms } from './servers/availability.js';
import { RedisServer } from './servers/redis-server.js';

const PASSWORD = 'secret-TEST-redis';
const USER = ['ACL', 'SETUSER', 'tokenry', 'on', `>${PASSWORD}`] as const;
const ALLOWED = ['~*', '&*', '+@all'] as const;

/** Durable across a kill: what an outage must not lose. */
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always'];

const stores: Readonly<Record<string, BaseTokenBackendOptions>> = {
  plain: {},
  encrypted: { cryptographyManager: new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(7) }, activeKid: 'k1' }) },
  'under a key prefix': { keyPrefix: 'Team A:' },
};

function storesOn(server: RedisServer, extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    await server.cli('flushall');
    const clientOptions = { host: '127.0.0.1', port: server.port, username: 'tokenry', password: PASSWORD };
    const keyOf = (key: string) => (extra.keyPrefix ?? '') + key;
    return {
      open: async (options) => new RedisTokenBackend({ ...extra, ...options, ...prefixed(extra, options), clientOptions }),
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

function prefixed(extra: BaseTokenBackendOptions, options: BaseTokenBackendOptions): BaseTokenBackendOptions {
  const keyPrefix = (extra.keyPrefix ?? '') + (options.keyPrefix ?? '');
  return keyPrefix === '' ? {} : { keyPrefix };
}

await whereThereIs(redisPrograms, async () => {
  const server = await RedisServer.start({ args: PERSISTENT });
  await grant(server);
  afterAll(() => server.stop());
  for (const [name, extra] of Object.entries(stores)) {
    const createStore = storesOn(server, extra);
    const store = await describeStore(createStore);
    describe(`conformance, ${name}`, () => {
      for (const { group, name: sentence, skip, run } of conformanceTests(createStore, { store }))
        test(`${group}: ${sentence}`, { skip: skip !== undefined }, run);
    });
  }
});
