import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { RedisTokenBackend } from '@tokenry/redis';
import { afterAll, describe, test } from 'vitest';
import { whereThereIs } from '../../../test-support/where-there-is.ts';
import { redisPrograms } from './servers/availability.js';
import { startCluster } from './servers/cluster.js';

/** Outages of a cluster take as long as its fail-over: `cluster.test.ts` looks at one. */
await whereThereIs(redisPrograms, async () => {
  const cluster = await startCluster({ primaries: 3, replicas: 0 });
  afterAll(() => cluster.stop());
  const empty = async () => void (await Promise.all(cluster.servers.map((server) => server.cli('flushall'))));
  const createStore: CreateStore = async () => {
    await empty();
    return {
      open: async (options) => new RedisTokenBackend({ ...options, clientOptions: { cluster: cluster.nodes } }),
      readRaw: async (key) => {
        const primary = await cluster.primaryOf(key);
        return (await primary.cli('exists', key)) === '0' ? undefined : Buffer.from(await primary.cli('get', key));
      },
      faults: {
        corrupt: async (key) => void (await (await cluster.primaryOf(key)).cli('set', key, '{"AccessToken": {"half')),
      },
      destroy: empty,
    };
  };
  const store = await describeStore(createStore);
  describe('conformance, on a cluster', () => {
    for (const { group, name: sentence, skip, run } of conformanceTests(createStore, { store }))
      test(`${group}: ${sentence}`, { skip: skip !== undefined }, run);
  });
});
