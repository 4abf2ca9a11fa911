import type { CreateStore } from '@tokenry/conformance';
import { RedisTokenBackend } from '@tokenry/redis';
import { afterAll } from 'vitest';
import { addConformanceTests } from '../../../test-support/conformance.ts';
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
  await addConformanceTests('on a cluster', createStore);
});
