import { BackendUnavailableError } from '@tokenry/core/backend';
import { MemoryTokenBackend } from '@tokenry/memory';
import { RedisLeases, RedisTokenBackend } from '@tokenry/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { rejection } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { freePort, RedisServer } from './servers/redis-server.js';

describe.skipIf(!redisAvailable)('RedisLeases', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => void (await server.cli('flushall')));
  const clientOptions = () => ({ host: '127.0.0.1', port: server.port });
  const ada = { owner: 'ada', ttlMs: 60_000 };
  const bob = { owner: 'bob', ttlMs: 60_000 };

  test('serve a backend that has none of its own', async () => {
    const leases = new RedisLeases({ clientOptions: clientOptions(), keyPrefix: 'app:' });
    onTestFinished(() => leases.close());
    const backend = new MemoryTokenBackend({ leases });
    expect(backend.capabilities.leases).toBe(true);
    expect(await backend.leases.tryAcquire('job', ada)).toEqual({ acquired: true });
    expect(await server.cli('get', 'app:=lease-job')).toBe('ada');
    expect(Number(await server.cli('pttl', 'app:=lease-job'))).toBeGreaterThan(50_000);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '60000' as never, undefined as never])(
    'a time to live of %s is an error of the caller, not an outage',
    async (ttlMs) => {
      const leases = new RedisLeases({ clientOptions: clientOptions() });
      onTestFinished(() => leases.close());
      const refused = { name: 'RangeError', code: 'TOKENRY_OUT_OF_RANGE', message: 'ttlMs must be a number of milliseconds.' };
      expect(await rejection(leases.tryAcquire('job', { owner: 'ada', ttlMs }))).toMatchObject(refused);
      expect(await rejection(leases.renew('job', { owner: 'ada', ttlMs }))).toMatchObject(refused);
    },
  );

  test('meet those of a RedisTokenBackend with the same prefix', async () => {
    const client = new Redis(server.port, '127.0.0.1');
    onTestFinished(() => client.disconnect());
    const leases = new RedisLeases({ client });
    const backend = new RedisTokenBackend({ client });
    await leases.tryAcquire('job', ada);
    expect(await backend.leases.tryAcquire('job', bob)).toEqual({ acquired: false, holder: 'ada', version: 'ada' });
    await leases.release('job', ada);
    expect(await backend.leases.tryAcquire('job', bob)).toEqual({ acquired: true });
    expect(await leases.renew('job', ada)).toBe(false);
    await leases.close();
    expect(await client.ping()).toBe('PONG');
  });

  test('an unreachable Redis grants nothing', async () => {
    const leases = new RedisLeases({ clientOptions: { host: '127.0.0.1', port: await freePort() } });
    onTestFinished(() => leases.close());
    expect(BackendUnavailableError.is(await rejection(leases.tryAcquire('job', ada)))).toBe(true);
  });
});
