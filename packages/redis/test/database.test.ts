import { BackendAccessDeniedError, CapabilityError } from '@tokenry/core/backend';
import { type RedisClientOptions, RedisTokenBackend } from '@tokenry/redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bytes, rejection } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { RedisServer } from './servers/redis-server.js';

describe.skipIf(!redisAvailable)('the database', () => {
  async function start(): Promise<RedisServer> {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    return server;
  }

  function backendOn(server: RedisServer, clientOptions: RedisClientOptions): RedisTokenBackend {
    const backend = new RedisTokenBackend({ clientOptions: { host: '127.0.0.1', port: server.port, ...clientOptions } });
    onTestFinished(() => backend.close());
    return backend;
  }

  const save = (backend: RedisTokenBackend) => backend.records.write('user-1', bytes('1'), { expect: 'absent' });

  test('is the one that db names', async () => {
    const server = await start();
    await save(backendOn(server, { db: 3 }));
    expect(await server.cli('-n', '3', 'keys', '*')).toContain('user-1');
    expect(await server.cli('dbsize')).toBe('0');
  });

  test('that this user may not select is a denial: nothing is written into another one', async () => {
    const server = await start();
    await server.cli('acl', 'setuser', 'app', 'reset', 'on', '>secret-TEST-app', '~*', '+@all', '-select');
    const access = { username: 'app', password: 'secret-TEST-app' };
    const error = await rejection(save(backendOn(server, { db: 3, ...access })));
    expect(BackendAccessDeniedError.is(error)).toBe(true);
    expect(await server.cli('dbsize')).toBe('0');
  });

  test.each<{ client: string; options: RedisClientOptions }>([
    { client: 'as it comes', options: {} },
    { client: 'that sends before it looked whether the server is ready', options: { enableReadyCheck: false } },
  ])('that the server does not have is said to be missing to a client $client: nothing is written', async ({ options }) => {
    const server = await start();
    const backend = backendOn(server, { db: 99, ...options });
    for (const _again of [1, 2]) {
      const error = await rejection(save(backend));
      expect(CapabilityError.is(error)).toBe(true);
      expect(error.message).toContain('no such database');
    }
    expect(await server.cli('dbsize')).toBe('0');
  });

  test('a server that is no cluster is not taken for an outage of one', async () => {
    const server = await start();
    const backend = new RedisTokenBackend({ clientOptions: { cluster: [{ host: '127.0.0.1', port: server.port }] } });
    onTestFinished(() => backend.close());
    const error = await rejection(save(backend));
    expect(CapabilityError.is(error)).toBe(true);
    expect(error.message).toContain('not part of a cluster');
  });
});
