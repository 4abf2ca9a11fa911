import { BackendAccessDeniedError, BackendUnavailableError, CapabilityError, VersionConflictError } from '@tokenry/core/backend';
import { RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { Child, scriptNamed } from './child.js';
import { bytes, collect, rejection } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { type RedisCluster, startCluster } from './servers/cluster.js';
import { eventually, freePort } from './servers/redis-server.js';

const running: Child[] = [];
afterEach(() => Promise.all(running.splice(0).map((child) => child.kill())));

describe.skipIf(!redisAvailable)('Redis Cluster, three primaries with a replica each', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  function backendOn(options: RedisTokenBackendOptions = {}): RedisTokenBackend {
    const backend = new RedisTokenBackend({ clientOptions: { cluster: cluster.nodes }, ...options });
    onTestFinished(() => backend.close());
    return backend;
  }

  test('records and leases lie all over the cluster, and listing finds those of every primary', async () => {
    const backend = backendOn({ keyPrefix: 'spread:' });
    const keys = Array.from({ length: 60 }, (_, n) => (n % 2 ? `user-${n}` : `{user-${n}}.tokens`));
    for (const key of keys) {
      const version = await backend.records.write(key, bytes('1'), { expect: 'absent' });
      await backend.records.write(key, bytes(key), { expect: { version } });
      expect(VersionConflictError.is(await rejection(backend.records.write(key, bytes('3'), { expect: { version } })))).toBe(
        true,
      );
    }
    for (const key of keys) expect(await backend.records.read(key)).toMatchObject({ data: Buffer.from(key) });
    expect((await collect(backend.listKeys())).sort()).toEqual([...keys].sort());
    const held = await Promise.all(cluster.servers.map((server) => server.cli('dbsize')));
    expect(held.filter((size) => Number(size) > 5)).toHaveLength(6);
    for (const name of ['a', 'b', 'c', 'd']) {
      const ada = { owner: 'ada', ttlMs: 60_000 };
      expect(await backend.leases.tryAcquire(name, ada)).toEqual({ acquired: true });
      expect(await backend.leases.renew(name, ada)).toBe(true);
      expect(await backend.leases.tryAcquire(name, { owner: 'bob', ttlMs: 1 })).toMatchObject({ holder: 'ada' });
      await backend.leases.release(name, ada);
    }
  });

  test('a client that spreads reads over replicas still reads records from the primary', async () => {
    const client = new Cluster(cluster.nodes, { scaleReads: 'slave' });
    onTestFinished(() => client.disconnect());
    const backend = new RedisTokenBackend({ client });
    const key = 'from-primary';
    const primary = await cluster.primaryOf(key);
    const servedBefore = await readsOn(primary);
    for (let n = 1; n <= 20; n++) {
      await backend.records.write(key, bytes(String(n)), { expect: 'anything' });
      expect(await backend.records.read(key)).toMatchObject({ data: Buffer.from(String(n)) });
    }
    expect((await readsOn(primary)) - servedBefore).toBe(20);
  });

  test('a change is announced to instances on other nodes', async () => {
    const options = {
      invalidation: true,
      keyPrefix: 'told:',
      recordCache: { revalidateAfterMs: 3_600_000, maxStalenessMs: 3_600_000 },
    };
    const [one, two] = [backendOn(options), backendOn(options)];
    await one.saveToken(signedIn('ada'), { tokenKey: 'team' });
    const seen = async () => (await two.loadToken({ tokenKey: 'team' }))?.getAccounts().length;
    expect(await seen()).toBe(1);
    const listeners = async () => {
      const counts = await Promise.all(cluster.servers.map((server) => server.cli('pubsub', 'numsub', 'told:=changed')));
      return counts.reduce((sum, count) => sum + Number(count.split('\n')[1]), 0);
    };
    await eventually('both listen', async () => ((await listeners()) === 2 ? true : undefined));
    await one.saveToken(signedIn('bob'), { tokenKey: 'team' });
    await eventually('the change is seen', async () => ((await seen()) === 2 ? true : undefined));
  });

  test('the permissions of the README for a cluster are enough', async () => {
    const rules = ['~acl:*', '&acl:=changed', '+get', '+set', '+del', '+pexpire', '+eval', '+evalsha', '+scan', '+info'];
    const forCluster = ['+cluster|slots', '+cluster|info', '+ping', '+asking', '+publish', '+subscribe', '+wait'];
    for (const server of cluster.servers)
      await server.cli('acl', 'setuser', 'app', 'reset', 'on', '>secret-TEST-app', ...rules, ...forCluster);
    const backend = backendOn({
      clientOptions: { cluster: cluster.nodes, redisOptions: { username: 'app', password: 'secret-TEST-app' } },
      keyPrefix: 'acl:',
      invalidation: true,
      waitReplicas: 1,
    });
    await backend.saveToken(signedIn('ada'), { tokenKey: 'team' });
    await backend.saveToken(signedIn('bob'), { tokenKey: 'team' });
    expect(await collect(backend.listKeys())).toEqual(['team']);
    expect(await backend.leases.tryAcquire('job', { owner: 'ada', ttlMs: 1_000 })).toEqual({ acquired: true });
    expect(await backend.deleteToken({ tokenKey: 'team' })).toBe(true);
  });

  test('a cluster that refuses the password, and one that is not there, are told apart', async () => {
    const refused = backendOn({ clientOptions: { cluster: cluster.nodes, redisOptions: { username: 'nobody', password: 'x' } } });
    expect(BackendAccessDeniedError.is(await rejection(refused.records.read('user-1')))).toBe(true);
    const nowhere = backendOn({ clientOptions: { cluster: [{ host: '127.0.0.1', port: await freePort() }] } });
    expect(BackendUnavailableError.is(await rejection(nowhere.records.read('user-1')))).toBe(true);
    const [node] = cluster.nodes;
    const alone = backendOn({ clientOptions: { ...node } });
    const errors = await Promise.all(Array.from('abcdefgh', (key) => alone.records.read(key).catch((error: unknown) => error)));
    expect(errors.some((error) => CapabilityError.is(error))).toBe(true);
  });

  test('a process that used a cluster ends by itself', async () => {
    const child = new Child(scriptNamed('use-and-end'), [
      { clientOptions: { cluster: cluster.nodes }, keyPrefix: 'end:', invalidation: true },
    ]);
    running.push(child);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test('increments lose nothing while slots move from one primary to another', async () => {
    const keys = Array.from({ length: 40 }, (_, n) => `moving-${n}`);
    const options = { clientOptions: { cluster: cluster.nodes } };
    const writers = Array.from({ length: 2 }, () => new Child(scriptNamed('count'), [options, keys, 1_500]));
    running.push(...writers);
    for (const writer of writers) expect(await writer.hear()).toBe('ready');
    await cluster.reshard(300);
    for (const writer of writers) await writer.hear();
    const counts = await Promise.all(keys.map(async (key) => textOf(await backendOn().records.read(key))));
    expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(3_000);
  });

  test('a primary dies: its records are unavailable, not absent, until its replica has taken over', async () => {
    const backend = backendOn({ keyPrefix: 'survivor:' });
    await backend.records.write('user-1', bytes('1'), { expect: 'absent' });
    const primary = await cluster.primaryOf('survivor:user-1');
    await eventually('the replica has it', async () => ((await primary.cli('wait', '1', '1000')) === '1' ? true : undefined));
    await primary.kill();
    onTestFinished(() => primary.resume());
    const failures: unknown[] = [];
    const read = async () => {
      try {
        return textOf(await backend.records.read('user-1'));
      } catch (error) {
        failures.push((error as { readonly code?: string }).code);
        return undefined;
      }
    };
    expect(await eventually('the replica serves it', read)).toBe('1');
    expect(new Set(failures)).toEqual(new Set(['TOKENRY_BACKEND_UNAVAILABLE']));
  });
});

function textOf(found: Awaited<ReturnType<RedisTokenBackend['records']['read']>>): string {
  if (found === undefined || found === 'not-modified') throw new Error('the record is absent');
  return Buffer.from(found.data).toString();
}

async function readsOn(server: { cli(...args: string[]): Promise<string> }): Promise<number> {
  return Number(/cmdstat_getex:calls=(\d+)/.exec(await server.cli('info', 'commandstats'))?.[1] ?? 0);
}
