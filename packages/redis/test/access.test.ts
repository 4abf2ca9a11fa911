import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { BackendAccessDeniedError, BackendUnavailableError } from '@tokenry/core/backend';
import { type RedisClientOptions, RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bytes, collect, rejection } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { eventually, RedisServer } from './servers/redis-server.js';
import { startTlsServer } from './servers/tls.js';

/** As in README.md. */
const RULES = ['~app:*', '+get', '+set', '+del', '+pexpire', '+eval', '+evalsha', '+scan', '+info'];
const FOR_EXPIRY = ['+getex'];
const FOR_INVALIDATION = ['&app:=changed', '+publish', '+subscribe'];
const PASSWORD = 'secret-TEST-app';

function backendOn(clientOptions: RedisClientOptions, options: RedisTokenBackendOptions = {}): RedisTokenBackend {
  const backend = new RedisTokenBackend({ keyPrefix: 'app:', ...options, clientOptions });
  onTestFinished(() => backend.close());
  return backend;
}

async function useEverything(backend: RedisTokenBackend): Promise<void> {
  const { records, leases } = backend;
  const version = await records.write('user-1', bytes('1'), { expect: 'absent' });
  await records.write('user-1', bytes('2'), { expect: { version } });
  expect(await records.read('user-1')).toMatchObject({ data: Buffer.from('2') });
  expect(await collect(records.list())).toEqual(['user-1']);
  expect(await records.remove('user-1', { expect: 'anything' })).toBe(true);
  const request = { owner: 'ada', ttlMs: 1_000 };
  expect(await leases.tryAcquire('job', request)).toEqual({ acquired: true });
  expect(await leases.tryAcquire('job', request)).toMatchObject({ acquired: false });
  expect(await leases.renew('job', request)).toBe(true);
  await leases.release('job', request);
}

describe.skipIf(!redisAvailable)('the permissions of the README', () => {
  async function serverWith(rules: readonly string[]): Promise<RedisClientOptions> {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    await server.cli('acl', 'setuser', 'app', 'reset', 'on', `>${PASSWORD}`, ...rules);
    return { host: '127.0.0.1', port: server.port, username: 'app', password: PASSWORD };
  }

  test('are enough, and nothing is printed', async () => {
    const warned = vi.spyOn(console, 'warn');
    const failed = vi.spyOn(console, 'error');
    await useEverything(backendOn(await serverWith(RULES)));
    expect([warned.mock.calls, failed.mock.calls]).toEqual([[], []]);
  });

  test('are enough with expireAfterMs and invalidation', async () => {
    const access = await serverWith([...RULES, ...FOR_EXPIRY, ...FOR_INVALIDATION]);
    const other = backendOn(access, { invalidation: true });
    await other.loadToken({ tokenKey: 'user-1' });
    await useEverything(backendOn(access, { invalidation: true, expireAfterMs: 60_000 }));
  });

  test.each(RULES.filter((rule) => rule !== '+info'))('are all needed: without %s something is denied', async (missing) => {
    const access = await serverWith(RULES.filter((rule) => rule !== missing));
    const error = await rejection(useEverything(backendOn(access)));
    expect(BackendAccessDeniedError.is(error)).toBe(true);
  });

  test('without those of invalidation everything else works, and a fault says what is missing', async () => {
    const faults: unknown[] = [];
    const hear = (event: unknown) => void faults.push(event);
    subscribe('tokenry:fault', hear);
    onTestFinished(() => void unsubscribe('tokenry:fault', hear));
    const backend = backendOn(await serverWith(RULES), { invalidation: true });
    await useEverything(backend);
    await eventually('the fault', async () => (faults.length > 0 ? true : undefined));
    expect(faults[0]).toEqual({ operation: 'read', code: 'TOKENRY_BACKEND_ACCESS_DENIED' });
  });

  test('keep the program out of the keys of others', async () => {
    const error = await rejection(backendOn(await serverWith(RULES), { keyPrefix: 'other:' }).records.read('user-1'));
    expect(BackendAccessDeniedError.is(error)).toBe(true);
  });
});

test('neither inspect nor JSON shows a password', () => {
  const backend = backendOn({ host: '127.0.0.1', password: PASSWORD });
  expect(inspect(backend, { depth: 9, showHidden: true }) + JSON.stringify(backend)).not.toMatch(/secret-TEST/);
});

describe.skipIf(!redisAvailable)('TLS', () => {
  test('a server whose authority is given is used, any other is not', async () => {
    const tls = await startTlsServer(['--requirepass', PASSWORD]);
    onTestFinished(() => tls.stop());
    const clientOptions = { url: `rediss://localhost:${tls.port}`, password: PASSWORD };
    await useEverything(backendOn({ ...clientOptions, tls: { ca: tls.ca } }));
    const error = await rejection(backendOn(clientOptions).records.read('user-1'));
    expect(BackendUnavailableError.is(error)).toBe(true);
    expect(error.message).toMatch(/\((UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO)[A-Z_]+\)/);
  });
});

describe.skipIf(!redisAvailable)('invalidation', () => {
  test('a change by another instance is seen long before the next revalidation, a removal too', async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    const options = { invalidation: true, recordCache: { revalidateAfterMs: 3_600_000, maxStalenessMs: 3_600_000 } };
    const [one, two] = [0, 1].map(() => backendOn({ host: '127.0.0.1', port: server.port }, options)) as [
      RedisTokenBackend,
      RedisTokenBackend,
    ];
    const { signedIn } = await import('../../../test-support/signed-in.ts');
    await one.saveToken(signedIn('ada'), { tokenKey: 'team' });
    const accountsSeen = async () => (await two.loadToken({ tokenKey: 'team' }))?.getAccounts().length ?? 0;
    expect(await accountsSeen()).toBe(1);
    await eventually(
      'it listens',
      async () => (await server.cli('pubsub', 'numsub', 'app:=changed')).endsWith('\n2') || undefined,
    );
    await one.saveToken(signedIn('bob'), { tokenKey: 'team' });
    await eventually('the second account is seen', async () => ((await accountsSeen()) === 2 ? true : undefined));
    await server.cli('client', 'kill', 'type', 'pubsub');
    await eventually(
      'it listens again',
      async () => (await server.cli('pubsub', 'numsub', 'app:=changed')).endsWith('\n2') || undefined,
    );
    await one.deleteToken({ tokenKey: 'team' });
    await eventually('the removal is seen', async () => ((await accountsSeen()) === 0 ? true : undefined));
  });

  test('listens beside an injected client that queues no commands while it connects', async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    const client = new Redis(server.port, '127.0.0.1', { enableOfflineQueue: false });
    onTestFinished(() => client.disconnect());
    await once(client, 'ready');
    const backend = new RedisTokenBackend({ client, keyPrefix: 'app:', invalidation: true });
    onTestFinished(() => backend.close());
    expect(await backend.checkToken()).toBe(false);
    await eventually(
      'it listens',
      async () => (await server.cli('pubsub', 'numsub', 'app:=changed')).endsWith('\n1') || undefined,
      5_000,
    );
  });
});
