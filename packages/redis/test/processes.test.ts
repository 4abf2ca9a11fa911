import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Child, scriptNamed } from './child.js';
import { redisAvailable } from './servers/availability.js';
import { RedisServer } from './servers/redis-server.js';

/** `INCREMENTS=20000 WRITERS=8` for the long form. */
const INCREMENTS = Number(process.env.INCREMENTS ?? 800);
const WRITERS = Number(process.env.WRITERS ?? 4);
const running: Child[] = [];
afterEach(() => Promise.all(running.splice(0).map((child) => child.kill())));

describe.skipIf(!redisAvailable)('several processes', () => {
  let server: RedisServer;
  const clientOptions = () => ({ host: '127.0.0.1', port: server.port });
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => void (await server.cli('flushall')));

  test.each([1, 100])(
    `${WRITERS} processes make ${INCREMENTS} increments on %i keys and lose none`,
    async (keyCount) => {
      const keys = Array.from({ length: keyCount }, (_, n) => `counter-${n}`);
      const each = Math.floor(INCREMENTS / WRITERS);
      const begunAt = performance.now();
      const writers = Array.from(
        { length: WRITERS },
        () => new Child(scriptNamed('count'), [{ clientOptions: clientOptions() }, keys, each]),
      );
      running.push(...writers);
      for (const writer of writers) expect(await writer.hear()).toBe('ready');
      const said = await Promise.all(writers.map((writer) => writer.hear<{ readonly conflicts: number }>()));
      const counts = (await server.cli('mget', ...keys)).split('\n').map(Number);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(each * WRITERS);
      if (process.env.INCREMENTS)
        console.log(
          `${each * WRITERS} increments, ${WRITERS} processes, ${keyCount} keys: lost 0, ` +
            `${said.reduce((sum, { conflicts }) => sum + conflicts, 0)} conflicts, ${Math.round(performance.now() - begunAt)} ms`,
        );
    },
    300_000,
  );

  test('a record that is removed under load is not brought back by a late save', async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `leaving-${n}`);
    for (const key of keys) await server.cli('set', key, '0');
    const writers = Array.from(
      { length: 3 },
      () => new Child(scriptNamed('update-until-gone'), [{ clientOptions: clientOptions() }, keys]),
    );
    running.push(...writers);
    for (const writer of writers) expect(await writer.hear()).toBe('ready');
    for (const key of keys) expect(await server.cli('del', key)).toBe('1');
    const said = await Promise.all(writers.map((writer) => writer.hear<{ readonly saved: number }>()));
    expect(said.every(({ saved }) => saved > 0)).toBe(true);
    expect(await server.cli('exists', ...keys)).toBe('0');
  });

  test('a process that saved, listed and held a lease ends by itself', async () => {
    for (const invalidation of [false, true]) {
      const child = new Child(scriptNamed('use-and-end'), [{ clientOptions: clientOptions(), invalidation, keyPrefix: 'app:' }]);
      running.push(child);
      expect(await child.exited).toEqual({ code: 0, signal: null });
    }
    expect(await server.cli('get', 'app:used')).toBe('{}');
  });

  test('ioredis is loaded by the first command, not by importing or constructing', async () => {
    const child = new Child(scriptNamed('load-late'), [{ clientOptions: clientOptions() }]);
    running.push(child);
    expect(await child.hear()).toEqual({ afterImport: false, afterConstructors: false, afterUse: true });
  });
});
