import { FirestoreTokenBackend } from '@tokenry/firestore';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from './emulator.js';
import { collect, rejection } from './outcomes.js';
import { type Refusal, type StatusServer, startStatusServer } from './status-server.js';

let server: StatusServer;
beforeAll(async () => {
  server = await startStatusServer();
});
afterAll(() => server.stop());

function opened(host = server.host): FirestoreTokenBackend {
  const backend = new FirestoreTokenBackend({
    collection: 'tokens',
    timeoutMs: 4_000,
    clientOptions: { projectId: 'p', host, ssl: false },
  });
  onTestFinished(() => backend.close());
  return backend;
}

const data = Buffer.from('{"secret":"rt-TEST-1"}');
const operations: Readonly<Record<string, (backend: FirestoreTokenBackend) => Promise<unknown>>> = {
  read: ({ records }) => records.read('k'),
  save: ({ records }) => records.write('k', data, { expect: 'anything' }),
  'compare and save': ({ records }) => records.write('k', data, { expect: { version: '1.000000000' } }),
  create: ({ records }) => records.write('k', data, { expect: 'absent' }),
  remove: ({ records }) => records.remove('k', { expect: 'anything' }),
  list: ({ records }) => collect(records.list()),
};

const CONFLICT = 'TOKENRY_VERSION_CONFLICT';
const TOO_LARGE =
  'Document cannot be written because its size (1,100,000 bytes) exceeds the maximum allowed size of 1,048,576 bytes.';

interface Case {
  readonly sentence: string;
  readonly refusal: Refusal;
  /** What every operation ends with, but for those in `except`. */
  readonly code: string;
  readonly except?: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { sentence: 'PERMISSION_DENIED is a denial', refusal: { code: 7 }, code: 'TOKENRY_BACKEND_ACCESS_DENIED' },
  { sentence: 'UNAUTHENTICATED is a denial', refusal: { code: 16 }, code: 'TOKENRY_BACKEND_ACCESS_DENIED' },
  { sentence: 'RESOURCE_EXHAUSTED is a throttle', refusal: { code: 8 }, code: 'TOKENRY_BACKEND_THROTTLED' },
  { sentence: 'UNAVAILABLE is an outage', refusal: { code: 14 }, code: 'TOKENRY_BACKEND_UNAVAILABLE' },
  { sentence: 'DEADLINE_EXCEEDED is an outage', refusal: { code: 4 }, code: 'TOKENRY_BACKEND_UNAVAILABLE' },
  { sentence: 'INTERNAL is an outage', refusal: { code: 13 }, code: 'TOKENRY_BACKEND_UNAVAILABLE' },
  {
    sentence: 'ABORTED is a conflict where something was expected, else a throttle',
    refusal: { code: 10 },
    code: 'TOKENRY_BACKEND_THROTTLED',
    except: { 'compare and save': CONFLICT, create: CONFLICT },
  },
  {
    sentence: 'NOT_FOUND of a missing database is not an absent record',
    refusal: { code: 5, details: 'The database (default) does not exist for project p.' },
    code: 'TOKENRY_CAPABILITY',
  },
  {
    sentence: 'INVALID_ARGUMENT of a size is a record that is too large',
    refusal: { code: 3, details: TOO_LARGE },
    code: 'TOKENRY_CAPABILITY',
    except: Object.fromEntries(['save', 'compare and save', 'create'].map((name) => [name, 'TOKENRY_RECORD_TOO_LARGE'])),
  },
];

describe('what the server answers', () => {
  test.each(cases)('$sentence', async ({ refusal, code, except }) => {
    const backend = opened();
    for (const [name, operation] of Object.entries(operations)) {
      server.answer(refusal);
      const error = await rejection(operation(backend));
      expect([name, error.code]).toEqual([name, except?.[name] ?? code]);
      expect(error.message).not.toContain('rt-TEST');
    }
  });

  test.each([7, 16, 8, 5, 3])('status %i is asked for once: nothing is repeated behind the caller’s back', async (code) => {
    const backend = opened();
    for (const name of ['read', 'save', 'compare and save', 'list']) {
      server.answer({ code });
      await operations[name]?.(backend).catch(() => undefined);
      expect([name, server.calls()]).toEqual([name, 1]);
    }
  });

  test('a broken connection is tried four times', async () => {
    server.answer({ code: 14 });
    await rejection(opened().records.read('k'));
    expect(server.calls()).toBe(4);
  });

  test('a throttle says how long to wait where the server said so', async () => {
    server.answer({ code: 8, retryAfterSeconds: 7 });
    const backend = opened();
    expect(await rejection(backend.records.write('k', data, { expect: 'anything' }))).toMatchObject({ retryAfterMs: 7_000 });
    expect(await rejection(backend.records.read('k'))).toMatchObject({ retryAfterMs: 7_000 });
  });

  test('a port where nobody listens is an outage', async () => {
    const backend = opened(`127.0.0.1:${await freePort()}`);
    expect(await rejection(backend.checkToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
  });

  test('a caller leaves at once, with its own reason', async () => {
    server.answer({ code: 14 });
    const controller = new AbortController();
    const reading = rejection(opened().records.read('k', { signal: controller.signal }));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await reading).toBe(reason);
  });
});
