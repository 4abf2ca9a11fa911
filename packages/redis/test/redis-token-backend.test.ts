import { createHash } from 'node:crypto';
import { VersionConflictError } from '@tokenry/core/backend';
import { RedisLeases, RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { bytes, collect, rejection } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { eventually, RedisServer } from './servers/redis-server.js';

describe('options', () => {
  test.each([
    [{ keyPrefx: 'a' }, /unknown option "keyPrefx"; did you mean "keyPrefix"/],
    [{ client: {} }, /client must be a Redis or Cluster of ioredis/],
    [{ clientOptions: 'redis://localhost' }, /clientOptions must be an object/],
    [{ clientOptions: { url: 'http://localhost' } }, /must be a URL that begins with redis/],
    [{ clientOptions: { cluster: [] } }, /at least one node/],
    [{ commandTimeoutMs: 0 }, /commandTimeoutMs must be a positive whole number/],
    [{ expireAfterMs: 1.5 }, /expireAfterMs must be a positive whole number/],
    [{ waitReplicas: -1 }, /waitReplicas must be a number of replicas/],
    [{ invalidation: 'yes' }, /invalidation must be true or false/],
  ])('%j is refused by name', (options, message) => {
    expect(() => new RedisTokenBackend(options as unknown as RedisTokenBackendOptions)).toThrow(message);
  });

  test('a client that reads from a replica is refused', async () => {
    const client = new Redis({ lazyConnect: true, sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'x', role: 'slave' });
    expect(() => new RedisTokenBackend({ client })).toThrow(/has to be read from the primary/);
    client.disconnect();
  });

  test('client and clientOptions together are refused, for leases as well', () => {
    const client = new Redis({ lazyConnect: true });
    expect(() => new RedisLeases({ client, clientOptions: {} })).toThrow(/give one of them/);
    client.disconnect();
  });
});

describe.skipIf(!redisAvailable)('records in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => void (await server.cli('flushall')));

  function backendOn(options: RedisTokenBackendOptions = {}): RedisTokenBackend {
    const backend = new RedisTokenBackend({ clientOptions: { host: '127.0.0.1', port: server.port }, ...options });
    onTestFinished(() => backend.close());
    return backend;
  }

  function plainClient(): Redis {
    const client = new Redis(server.port, '127.0.0.1');
    onTestFinished(() => client.disconnect());
    return client;
  }

  describe('where records lie', () => {
    test('the key is the prefix and the token key, as they are', async () => {
      const backend = backendOn({ keyPrefix: 'App:tokens:', defaultTokenKey: 'Team Token' });
      for (const key of ['Team Token', 'user-42', 'Ada@Contoso.example/..', 'a=b', 'дана'])
        await backend.records.write(key, bytes(key), { expect: 'absent' });
      const keys = (await plainClient().keys('*')).sort();
      expect(keys).toEqual(
        [
          'App:tokens:Team Token',
          'App:tokens:user-42',
          'App:tokens:Ada@Contoso.example/..',
          'App:tokens:=n-=41pp=3atokens=3aa=3db',
          'App:tokens:дана',
        ].sort(),
      );
      expect(await plainClient().get('App:tokens:дана')).toBe('дана');
      expect((await collect(backend.listKeys())).sort()).toEqual(
        ['Team Token', 'user-42', 'Ada@Contoso.example/..', 'a=b', 'дана'].sort(),
      );
    });

    test('a record that another program wrote is read as it is, and stays readable for it', async () => {
      const other = plainClient();
      await other.set('msal:ada-oid.tenant', signedIn('ada').serialize());
      const backend = backendOn({ keyPrefix: 'msal:' });
      const loaded = await backend.loadToken({ tokenKey: 'ada-oid.tenant' });
      expect(loaded?.getRefreshToken()?.secret).toBe('rt-TEST-ada');
      await backend.saveToken(signedIn('bob'), { tokenKey: 'ada-oid.tenant' });
      const stored = JSON.parse((await other.get('msal:ada-oid.tenant')) ?? '') as { readonly Account: object };
      expect(Object.keys(stored.Account)).toHaveLength(2);
      expect(await other.type('msal:ada-oid.tenant')).toBe('string');
    });

    test('the version is the SHA-1 of the content, for whoever wrote it', async () => {
      await plainClient().set('user-1', '{"a":1}');
      const found = await backendOn().records.read('user-1');
      expect(found).toEqual({ data: Buffer.from('{"a":1}'), version: createHash('sha1').update('{"a":1}').digest('hex') });
    });

    test.each([
      ['text', '{"name":"дана 🙂"}'],
      ['text behind a byte order mark', '\ufeff{}'],
      ['NUL and line ends', '\0\r\n'],
      ['nothing', ''],
      ['no text', Buffer.from([0xff, 0x00, 0xc3, 0x28, 0xed, 0xa0, 0x80])],
      ['a long text with one wrong byte', Buffer.concat([Buffer.alloc(6_000, 'a'), Buffer.from([0x80])])],
    ])('%s is stored byte by byte', async (_, content) => {
      const data = Buffer.from(content as Buffer);
      const backend = backendOn();
      const version = await backend.records.write('user-1', data, { expect: 'absent' });
      expect(await plainClient().getBuffer('user-1')).toEqual(data);
      expect(await backend.records.read('user-1')).toEqual({ data, version });
      await backend.records.write('user-1', bytes('{}'), { expect: { version } });
    });

    test('a version that is none is a conflict, whatever it looks like', async () => {
      const backend = backendOn();
      for (const version of ['absent', 'any', '', 'none'])
        for (const key of ['stored', 'missing']) {
          await plainClient().set('stored', '1');
          const error = await rejection(backend.records.write(key, bytes('2'), { expect: { version } }));
          expect(VersionConflictError.is(error)).toBe(true);
        }
      expect(await plainClient().get('stored')).toBe('1');
    });

    test('a prefix that the client itself adds is kept out of token keys', async () => {
      const client = new Redis({ port: server.port, host: '127.0.0.1', keyPrefix: 'outer*:' });
      onTestFinished(() => client.disconnect());
      const backend = new RedisTokenBackend({ client, keyPrefix: 'inner:' });
      await backend.records.write('user-1', bytes('{}'), { expect: 'absent' });
      await plainClient().set('outerX:inner:user-2', '{}');
      expect(await plainClient().get('outer*:inner:user-1')).toBe('{}');
      expect(await collect(backend.listKeys())).toEqual(['user-1']);
    });
  });

  describe('listing', () => {
    test('10 000 records are listed, each once, and nothing else that lies in the database', async () => {
      const other = plainClient();
      const keys = Array.from({ length: 10_000 }, (_, n) => `user-${n}`);
      for (let at = 0; at < keys.length; at += 1_000)
        await other.mset(keys.slice(at, at + 1_000).flatMap((key) => [`app:${key}`, '{}']));
      await other.hset('app:hash', 'field', 'value');
      await other.set('app:=lease-job', 'ada');
      await other.set('another:user-1', '{}');
      await other.set(Buffer.from([0x61, 0x70, 0x70, 0x3a, 0xff]), '{}');
      expect((await collect(backendOn({ keyPrefix: 'app:' }).listKeys())).sort()).toEqual(keys.sort());
    });

    test('an aborted listing ends with the reason', async () => {
      await plainClient().mset(Array.from({ length: 2_000 }, (_, n) => [`user-${n}`, '{}']).flat());
      const controller = new AbortController();
      const reason = new Error('enough');
      const listing = (async () => {
        for await (const _ of backendOn().listKeys({ signal: controller.signal })) controller.abort(reason);
      })();
      expect(await rejection(listing)).toBe(reason);
    });
  });

  describe('expireAfterMs', () => {
    test('reading and writing put off the end of a record; without use it ends', async () => {
      const backend = backendOn({ expireAfterMs: 60_000 });
      const left = async () => Number(await server.cli('pttl', 'user-1'));
      await backend.records.write('user-1', bytes('{}'), { expect: 'absent' });
      expect(await left()).toBeGreaterThan(50_000);
      await server.cli('pexpire', 'user-1', '5000');
      await backend.records.read('user-1');
      expect(await left()).toBeGreaterThan(50_000);
      await server.cli('pexpire', 'user-1', '1');
      await eventually('the record is gone', async () => ((await server.cli('exists', 'user-1')) === '0' ? true : undefined));
      expect(await backend.records.read('user-1')).toBe(undefined);
    });

    test('without it records stay', async () => {
      await backendOn().records.write('user-1', bytes('{}'), { expect: 'absent' });
      expect(await server.cli('pttl', 'user-1')).toBe('-1');
    });
  });

  describe('clients', () => {
    test('an injected client stays open, one of our own is closed', async () => {
      const client = plainClient();
      const injected = new RedisTokenBackend({ client });
      await injected.records.write('user-1', bytes('{}'), { expect: 'absent' });
      await injected.close();
      expect(await client.get('user-1')).toBe('{}');
      expect(client.listenerCount('close')).toBe(0);
      const connections = async () => Number(/connected_clients:(\d+)/.exec(await client.info('clients'))?.[1]);
      const before = await connections();
      const own = backendOn();
      await own.records.read('user-1');
      expect(await connections()).toBe(before + 1);
      await own.close();
      await eventually('the connection is closed', async () => ((await connections()) === before ? true : undefined));
    });

    test('a connection that the server closed is opened again by the next command', async () => {
      const backend = backendOn();
      await backend.records.write('user-1', bytes('{}'), { expect: 'absent' });
      await server.cli('client', 'kill', 'type', 'normal');
      const read = () => backend.records.read('user-1').catch(() => undefined);
      expect(await eventually('it answers again', read)).toMatchObject({ data: Buffer.from('{}') });
    });

    test('scripts that the server forgot are sent again', async () => {
      const backend = backendOn();
      const version = await backend.records.write('user-1', bytes('1'), { expect: 'absent' });
      await server.cli('script', 'flush');
      await backend.records.write('user-1', bytes('2'), { expect: { version } });
      expect(await server.cli('get', 'user-1')).toBe('2');
    });

    test('user name, password, database and URL reach the server', async () => {
      await server.cli('acl', 'setuser', 'app', 'on', '>secret-TEST-app', '~*', '&*', '+@all');
      const url = `redis://app:secret-TEST-app@127.0.0.1:${server.port}/3`;
      const backend = backendOn({ clientOptions: { url } });
      await backend.records.write('user-1', bytes('{}'), { expect: 'absent' });
      expect(await server.cli('-n', '3', 'get', 'user-1')).toBe('{}');
    });
  });
});
