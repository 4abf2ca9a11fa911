import { inspect } from 'node:util';
import {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  RecordCorruptError,
  VersionConflictError,
} from '@tokenry/core/backend';
import { type RedisClientOptions, RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisConnection } from '../src/connection.js';
import { mapError } from '../src/map-error.js';
import { resolveConnection } from '../src/options.js';
import { bytes, collect, rejection } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { FaultProxy } from './servers/proxy.js';
import { eventually, freePort, RedisServer, type ServerOptions } from './servers/redis-server.js';

async function started(options: ServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}

function backendOn(clientOptions: RedisClientOptions, options: RedisTokenBackendOptions = {}): RedisTokenBackend {
  const backend = new RedisTokenBackend({ ...options, clientOptions: { host: '127.0.0.1', ...clientOptions } });
  onTestFinished(() => backend.close());
  return backend;
}

const save = (backend: RedisTokenBackend, text: string) => backend.records.write('user-1', bytes(text), { expect: 'anything' });

describe.skipIf(!redisAvailable)('what can go wrong', () => {
  test('no server: unavailable within moments, and no token is made up or missed', async () => {
    const backend = backendOn({ port: await freePort() });
    const error = await rejection(backend.records.read('user-1'));
    expect(BackendUnavailableError.is(error)).toBe(true);
    expect(error.message).toBe(
      'Could not read the record "user-1" (ECONNREFUSED): Redis cannot be reached, or did not answer in time.',
    );
    expect(BackendUnavailableError.is(await rejection(collect(backend.listKeys())))).toBe(true);
  });

  test('no password, a wrong password and a missing permission are denied, each with its advice', async () => {
    const server = await started({
      args: ['--requirepass', 'secret-TEST-redis'],
      cli: ['-a', 'secret-TEST-redis', '--no-auth-warning'],
    });
    await server.cli('acl', 'setuser', 'reader', 'on', '>secret-TEST-reader', '~app:*', '+get', '+info');
    const cases = [
      [{}, /\(NOAUTH\): the server wants a password/],
      [{ password: 'secret-TEST-wrong' }, /\(WRONGPASS\): the server refused user name or password/],
      [{ username: 'reader', password: 'secret-TEST-reader' }, /\(NOPERM\): the ACL of this user forbids it/],
    ] as const;
    for (const [credentials, message] of cases) {
      const error = await rejection(save(backendOn({ port: server.port, ...credentials }), '{}'));
      expect(BackendAccessDeniedError.is(error)).toBe(true);
      expect(error.message).toMatch(message);
      expect(inspect(error, { depth: 9 })).not.toMatch(/secret-TEST/);
    }
  });

  test('a full server refuses the save and keeps the record as it was', async () => {
    const server = await started();
    const backend = backendOn({ port: server.port });
    await save(backend, '{"a":1}');
    await server.cli('config', 'set', 'maxmemory', '1');
    const error = await rejection(save(backend, '{"a":2}'));
    expect(BackendUnavailableError.is(error)).toBe(true);
    expect(error.message).toMatch(/\(OOM\): the server is full \(maxmemory\)/);
    expect(await server.cli('get', 'user-1')).toBe('{"a":1}');
  });

  test("another program's list or hash is corrupt to us, and never overwritten or removed", async () => {
    const server = await started();
    await server.cli('rpush', 'user-1', 'precious');
    const backend = backendOn({ port: server.port });
    const attempts = [
      () => backend.records.read('user-1'),
      () => save(backend, '{}'),
      () => backend.deleteToken({ tokenKey: 'user-1' }),
      () => backend.updateToken(() => undefined, { tokenKey: 'user-1', overwriteCorrupt: true }),
    ];
    for (const attempt of attempts) expect(RecordCorruptError.is(await rejection(attempt()))).toBe(true);
    expect(await server.cli('lrange', 'user-1', '0', '-1')).toBe('precious');
  });

  test('a replica refuses a save as unavailable, because a fail-over is under way', async () => {
    const server = await started();
    const backend = backendOn({ port: server.port });
    await save(backend, '{}');
    await server.cli('replicaof', '127.0.0.1', String(await freePort()));
    const error = await rejection(save(backend, '{"late":true}'));
    expect(BackendUnavailableError.is(error)).toBe(true);
    expect(error.message).toMatch(/\((READONLY|MASTERDOWN)\)/);
    await server.cli('replicaof', 'no', 'one');
    await save(backend, '{"late":true}');
  });

  test('a server that is busy with a script is unavailable', async () => {
    const server = await started({ args: ['--busy-reply-threshold', '50'] });
    const backend = backendOn({ port: server.port }, { commandTimeoutMs: 3_000 });
    await save(backend, '{}');
    const endless = server.cli('eval', 'while true do end', '0');
    const error = await rejection(untilRejected(() => backend.records.read('user-1')));
    await server.cli('script', 'kill');
    await endless;
    expect(BackendUnavailableError.is(error)).toBe(true);
    expect(error.message).toMatch(/\(BUSY\)/);
  });

  test('a server that stands still is unavailable after commandTimeoutMs, and used again once it goes on', async () => {
    const server = await started();
    const backend = backendOn({ port: server.port }, { commandTimeoutMs: 150 });
    await save(backend, '{"a":1}');
    server.signal('SIGSTOP');
    const error = await rejection(backend.records.read('user-1'));
    server.signal('SIGCONT');
    expect(BackendUnavailableError.is(error)).toBe(true);
    expect(error.message).toMatch(/No answer within 150 ms/);
    expect(await backend.records.read('user-1')).toMatchObject({ data: Buffer.from('{"a":1}') });
  });

  test('an injected client that would go on trying for minutes keeps nobody waiting, and works again afterwards', async () => {
    const server = await started({ args: ['--appendonly', 'yes'] });
    const client = new Redis({ host: '127.0.0.1', port: server.port, connectTimeout: 100, retryStrategy: () => 50 });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const backend = new RedisTokenBackend({ client, commandTimeoutMs: 100 });
    await save(backend, '{"a":1}');
    await server.kill();
    expect(BackendUnavailableError.is(await rejection(backend.records.read('user-1')))).toBe(true);
    expect(BackendUnavailableError.is(await rejection(backend.leases.tryAcquire('job', { owner: 'a', ttlMs: 9_000 })))).toBe(
      true,
    );
    await server.resume();
    const read = () => backend.records.read('user-1').catch(() => undefined);
    expect(await eventually('it answers again', read)).toMatchObject({ data: Buffer.from('{"a":1}') });
  });

  test('a standstill ends no wait later than the signal does', async () => {
    const server = await started();
    const backend = backendOn({ port: server.port });
    await save(backend, '{"a":1}');
    server.signal('SIGSTOP');
    const reason = new Error('no more');
    const controller = new AbortController();
    const reading = rejection(backend.records.read('user-1', { signal: controller.signal }));
    controller.abort(reason);
    expect(await reading).toBe(reason);
    server.signal('SIGCONT');
  });

  test('a server with too many clients asks to come back later', async () => {
    const server = await started({ args: ['--maxclients', '1'] });
    const only = new Redis(server.port, '127.0.0.1');
    onTestFinished(() => only.disconnect());
    await only.ping();
    const error = await rejection(backendOn({ port: server.port }).records.read('user-1'));
    expect(BackendThrottledError.is(error) || BackendUnavailableError.is(error)).toBe(true);
    expect(error).toMatchObject({ retryable: true });
  });

  test('a server without the commands is unsuitable, and the error repeats no token', async () => {
    const server = await started({ args: ['--rename-command', 'EVALSHA', ''] });
    const error = await rejection(save(backendOn({ port: server.port }), '{"secret":"rt-TEST-leak"}'));
    expect(CapabilityError.is(error)).toBe(true);
    expect(inspect(error, { depth: 9 }) + inspect(error.cause, { depth: 9 })).not.toMatch(/rt-TEST/);
  });

  test('the cause of an error does not carry the arguments of the command', async () => {
    const server = await started();
    await server.cli('rpush', 'user-1', 'x');
    const error = await rejection(save(backendOn({ port: server.port }), '{"secret":"rt-TEST-leak"}'));
    expect(inspect(error.cause, { depth: 9, showHidden: true })).not.toMatch(/rt-TEST/);
    expect(String(error.cause)).toMatch(/WRONGTYPE/);
  });
});

describe('error replies', () => {
  const mapped = (message: string, name = 'ReplyError') =>
    mapError(Object.assign(new Error(message), { name }), { doing: 'save the record "x"' });

  test.each([
    ['LOADING Redis is loading the dataset in memory', BackendUnavailableError],
    ['TRYAGAIN Multiple keys request during rehashing of slot', BackendUnavailableError],
    ['CLUSTERDOWN The cluster is down', BackendUnavailableError],
    ['MASTERDOWN Link with MASTER is down', BackendUnavailableError],
    ['NOREPLICAS Not enough good replicas to write.', BackendUnavailableError],
    ['MISCONF Errors writing to the AOF file', BackendUnavailableError],
    ['MOVED 3999 127.0.0.1:6381', CapabilityError],
    ['ERR max number of clients reached', BackendThrottledError],
    ['ERR something that nobody has heard of', BackendUnavailableError],
    [
      "ERR Error running script (call to f_6): @user_script:3: @user_script: 3: -READONLY You can't write against a read only replica.",
      BackendUnavailableError,
    ],
    [
      'All sentinels are unreachable and retry is disabled. Last error: NOAUTH Authentication required.',
      BackendAccessDeniedError,
    ],
  ] as readonly (readonly [string, { is(error: unknown): boolean }])[])('%s', (message, type) => {
    expect(type.is(mapped(message))).toBe(true);
  });
});

describe.skipIf(!redisAvailable)('an answer that is lost after the server has done its work', () => {
  async function proxied(): Promise<{ readonly server: RedisServer; readonly proxy: FaultProxy }> {
    const server = await started();
    const proxy = await FaultProxy.before(server.port);
    onTestFinished(() => proxy.close());
    return { server, proxy };
  }
  /** Loses the next answer that says a script has saved. */
  function loseNext(proxy: FaultProxy, answer: string): void {
    proxy.onAnswer = (text) => {
      if (text.toString() !== answer) return 'pass';
      proxy.onAnswer = () => 'pass';
      return 'lose';
    };
  }

  test('a save that was made counts as made, with a client of ours and with one that sends again', async () => {
    for (const inject of [false, true]) {
      const { server, proxy } = await proxied();
      const client = new Redis(proxy.port, '127.0.0.1');
      client.on('error', () => undefined);
      onTestFinished(() => client.disconnect());
      const backend = inject ? new RedisTokenBackend({ client }) : backendOn({ port: proxy.port });
      onTestFinished(() => backend.close());
      const version = await backend.records.write('user-1', bytes('1'), { expect: 'absent' });
      loseNext(proxy, ':1\r\n');
      const second = await backend.records.write('user-1', bytes('2'), { expect: { version } });
      expect(await server.cli('get', 'user-1')).toBe('2');
      const conflict = await rejection(backend.records.write('user-1', bytes('3'), { expect: { version } }));
      expect(VersionConflictError.is(conflict)).toBe(true);
      await backend.records.write('user-1', bytes('3'), { expect: { version: second } });
    }
  });

  test('a lease that was granted is held by the one who asked, with a client that sends again', async () => {
    const { proxy } = await proxied();
    const client = new Redis(proxy.port, '127.0.0.1');
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const { leases } = new RedisTokenBackend({ client });
    await leases.release('warm-up', { owner: 'ada', ttlMs: 1_000 });
    loseNext(proxy, '+OK\r\n');
    expect(await leases.tryAcquire('job', { owner: 'ada', ttlMs: 60_000 })).toEqual({ acquired: true });
    expect(await leases.tryAcquire('job', { owner: 'bob', ttlMs: 60_000 })).toMatchObject({ acquired: false, holder: 'ada' });
  });

  test('equal content is no excuse for a conflict while the connection holds', async () => {
    const { proxy } = await proxied();
    const backend = backendOn({ port: proxy.port });
    await backend.records.write('user-1', bytes('1'), { expect: 'absent' });
    const error = await rejection(backend.records.write('user-1', bytes('1'), { expect: 'absent' }));
    expect(VersionConflictError.is(error)).toBe(true);
  });
});

describe.skipIf(!redisAvailable)('the look at what a lost connection may have cost', () => {
  /** A connection that calls `look` after a loss. */
  async function looking(look: () => Promise<void>) {
    const server = await started();
    const connection = new RedisConnection(resolveConnection({ clientOptions: { host: '127.0.0.1', port: server.port } }), look);
    onTestFinished(() => connection.close());
    const ask = async () => (await connection.run({ doing: 'ask' }, (client) => client.call('ping', []))).answer;
    await ask();
    const lose = async () => {
      await server.cli('client', 'kill', 'type', 'normal');
      await eventually('it answers again', () => ask().catch(() => undefined));
    };
    return { ask, lose };
  }

  test('is repeated with a later answer where it failed, and not where it succeeded', async () => {
    const outcomes: string[] = [];
    const { ask, lose } = await looking(async () => {
      outcomes.push(outcomes.length === 0 ? 'failed' : 'done');
      if (outcomes.length === 1) throw new BackendUnavailableError('down');
    });
    expect(outcomes).toEqual([]);
    await lose();
    for (let more = 1; more <= 5; more++) await ask();
    expect(outcomes).toEqual(['failed', 'done']);
    await lose();
    for (let more = 1; more <= 5; more++) await ask();
    expect(outcomes).toEqual(['failed', 'done', 'done']);
  });

  test('is taken once at a time, and again where the connection was lost meanwhile', async () => {
    const held = Promise.withResolvers<void>();
    let looks = 0;
    const { ask, lose } = await looking(() => {
      looks += 1;
      return held.promise;
    });
    await lose();
    await lose();
    expect(looks).toBe(1);
    held.resolve();
    for (let more = 1; more <= 5; more++) await ask();
    expect(looks).toBe(2);
  });
});

async function untilRejected(work: () => Promise<unknown>): Promise<never> {
  for (;;) await work();
}
