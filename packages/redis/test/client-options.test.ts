import { once } from 'node:events';
import { type RedisClient, RedisLeases, RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { bytes, collect } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { RedisServer } from './servers/redis-server.js';
import { MASTER_NAME, startSentinel } from './servers/sentinel.js';
import { startTlsServer } from './servers/tls.js';

function backendWith(options: RedisTokenBackendOptions): RedisTokenBackend {
  const backend = new RedisTokenBackend(options);
  onTestFinished(() => backend.close());
  return backend;
}

describe.skipIf(!redisAvailable)('options of ioredis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => void (await server.cli('flushall')));

  async function useEverything({ records, leases }: RedisTokenBackend): Promise<void> {
    const version = await records.write('user-1', bytes('1'), { expect: 'absent' });
    await records.write('user-1', bytes('2'), { expect: { version } });
    expect(await records.read('user-1')).toMatchObject({ data: Buffer.from('2') });
    expect(await collect(records.list())).toEqual(['user-1']);
    expect(await records.remove('user-1', { expect: 'anything' })).toBe(true);
    expect(await records.remove('user-1', { expect: 'anything' })).toBe(false);
    const ada = { owner: 'ada', ttlMs: 60_000 };
    expect(await leases.tryAcquire('job', ada)).toEqual({ acquired: true });
    expect(await leases.renew('job', ada)).toBe(true);
    await leases.release('job', ada);
    expect(await leases.tryAcquire('job', ada)).toEqual({ acquired: true });
  }

  test.each<Pick<RedisOptions, 'stringNumbers' | 'enableAutoPipelining' | 'protocol' | 'keyPrefix'>>([
    { stringNumbers: true },
    { enableAutoPipelining: true },
    { protocol: 2 },
    { keyPrefix: 'program:' },
  ])('%o changes how a client speaks, not what is stored', async (options) => {
    const address = { host: '127.0.0.1', port: server.port };
    await useEverything(backendWith({ clientOptions: { ...address, ...options } }));
    await server.cli('flushall');
    const client: RedisClient = new Redis({ ...address, ...options });
    onTestFinished(() => client.disconnect());
    await useEverything(backendWith({ client, expireAfterMs: 60_000 }));
  });

  test('the longest commandTimeoutMs is a long one, also where connecting comes on top', async () => {
    const warnings: string[] = [];
    const hear = (warning: Error) => void warnings.push(warning.name);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const clientOptions = { host: '127.0.0.1', port: server.port };
    expect(await backendWith({ clientOptions, commandTimeoutMs: 2 ** 31 - 1 }).records.read('user-1')).toBeUndefined();
    process.emitWarning('the last one', 'End');
    await once(process, 'warning');
    expect(warnings).toEqual(['End']);
  });
});

describe.skipIf(!redisAvailable)('tls beside sentinels', () => {
  test('is for the server that they name: nothing goes to it in the clear', async () => {
    const tls = await startTlsServer();
    onTestFinished(() => tls.stop());
    const sentinel = await startSentinel(tls.server);
    onTestFinished(() => sentinel.stop());
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    const clientOptions = { sentinels, name: MASTER_NAME, tls: { ca: tls.ca, servername: 'localhost' } };
    await backendWith({ clientOptions }).records.write('user-1', bytes('1'), { expect: 'absent' });
    expect(await tls.server.cli('get', 'user-1')).toBe('1');
  });
});

describe('clientOptions', () => {
  const cluster = [{ host: 'node1' }];
  const sentinels = [{ host: 's1' }];

  test.each([
    [null, /clientOptions must be an object/],
    [{ cluster, tls: {} }, /clientOptions\.tls .*redisOptions/],
    [{ cluster, password: 'secret-TEST-redis' }, /clientOptions\.password .*redisOptions/],
    [{ cluster, username: 'app' }, /clientOptions\.username .*redisOptions/],
    [{ cluster, url: 'rediss://node1' }, /cluster and url/],
    [{ cluster, sentinels, name: 'tokens' }, /cluster and sentinels/],
    [{ cluster: [null] }, /clientOptions\.cluster/],
    [{ cluster: ['rediss://node1'] }, /redisOptions\.tls/],
    [{ cluster, redisOptions: 5 }, /redisOptions must be an object/],
    [{ cluster, redisOptions: { db: 3 } }, /database 0/],
    [{ sentinels, name: 'tokens', url: 'rediss://s1' }, /sentinels and url/],
    [{ sentinels, name: 'tokens', role: 'slave' }, /from the primary/],
    [{ readOnly: true }, /from the primary/],
    [{ sentinels }, /clientOptions\.name/],
    [{ sentinels: [], name: 'tokens' }, /clientOptions\.sentinels/],
    [{ sentinels: 's1', name: 'tokens' }, /clientOptions\.sentinels/],
    [{ name: 'tokens' }, /clientOptions\.sentinels/],
  ])('%o are refused at once, by a backend and by leases', (clientOptions, advice) => {
    for (const make of [RedisTokenBackend, RedisLeases]) {
      const construct = () => new make({ clientOptions } as never);
      expect(construct).toThrow(advice);
      expect(construct).toThrow(expect.objectContaining({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' }));
      expect(construct).not.toThrow(/secret-TEST/);
    }
  });

  test('a cluster whose nodes are rediss: URLs is taken with redisOptions.tls', async () => {
    await backendWith({ clientOptions: { cluster: ['rediss://node1'], redisOptions: { tls: {} } } }).close();
  });
});
