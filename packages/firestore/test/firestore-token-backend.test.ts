import { randomUUID } from 'node:crypto';
import { Firestore } from '@google-cloud/firestore';
import { RecordCorruptError, VersionConflictError } from '@tokenry/core/backend';
import { FirestoreTokenBackend, type FirestoreTokenBackendOptions } from '@tokenry/firestore';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { Child, scriptNamed } from './child.js';
import { CuttableProxy } from './cuttable-proxy.js';
import { type Emulator, missingEmulator, startEmulator } from './emulator.js';
import { collect, rejection } from './outcomes.js';

const missing = missingEmulator();
const emulator = (missing === undefined ? await startEmulator() : undefined) as Emulator;
const admin = new Firestore({ projectId: 'backend-test', host: emulator?.host ?? '', ssl: false });
afterAll(async () => {
  await admin.terminate();
  await emulator?.stop();
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (found: unknown): string => Buffer.from((found as { readonly data: Uint8Array }).data).toString();

/** A backend on a collection of its own. */
function opened(options: Partial<FirestoreTokenBackendOptions> = {}, host = emulator.host) {
  const collection = options.collection ?? `c-${randomUUID()}`;
  const client = options.client
    ? {}
    : { clientOptions: { projectId: 'backend-test', host, ssl: false, ...options.clientOptions } };
  const backend = new FirestoreTokenBackend({ ...options, ...client, collection });
  onTestFinished(() => backend.close());
  return { backend, collection, documents: admin.collection(collection) };
}

const emulated = describe.skipIf(missing !== undefined);

emulated('where records lie', () => {
  test('the default key is the document itself, other keys are documents beside it', async () => {
    const { backend, documents } = opened({ docId: 'Team Token' });
    for (const key of ['Team Token', 'user-42', 'Ada@Contoso.example/..', '__all__'])
      await backend.records.write(key, bytes(`"${key}"`), { expect: 'absent' });
    const found = (await documents.get()).docs.map((document) => [document.id, document.data()]);
    expect(Object.fromEntries(found)).toEqual({
      'Team Token': { token: '"Team Token"' },
      'user-42': { token: '"user-42"' },
      '=41da=40=43ontoso.example=2f.=2e': { token: '"Ada@Contoso.example/.."' },
      // Firestore keeps ids between two pairs of underscores for itself.
      '=5f_all__': { token: '"__all__"' },
    });
    expect([...(await collect(backend.listKeys()))].sort()).toEqual([
      'Ada@Contoso.example/..',
      'Team Token',
      '__all__',
      'user-42',
    ]);
  });

  test('a record that python-o365 wrote is read as it is, and stays readable for it', async () => {
    const { backend, documents } = opened({ docId: 'o365', fieldName: 'my_token' });
    const text = JSON.stringify(JSON.parse(signedIn('ada').exportForPython()), undefined, 4);
    await documents.doc('o365').set({ my_token: text });
    const cache = await backend.loadToken();
    expect(cache?.getAccounts().map((account) => account.username)).toEqual(['ada@contoso.example']);
    await backend.updateToken((changing) => void changing.removeRefreshToken('rt-TEST-ada'));
    const stored: unknown = (await documents.doc('o365').get()).get('my_token');
    expect(Object.keys(JSON.parse(stored as string)).sort()).toEqual(Object.keys(JSON.parse(text)).sort());
  });

  test('other fields of a document survive saves and removal', async () => {
    const { backend, documents } = opened();
    const others = { owner: 'ada', tags: ['a'], nested: { token: 1 } };
    await documents.doc('k').set(others);
    expect(await backend.records.read('k')).toBe(undefined);
    const version = await backend.records.write('k', bytes('1'), { expect: 'absent' });
    await backend.records.write('k', bytes('2'), { expect: { version } });
    await backend.records.write('k', bytes('3'), { expect: 'anything' });
    expect((await documents.doc('k').get()).data()).toEqual({ ...others, token: '3' });
    expect(await backend.records.remove('k', { expect: 'anything' })).toBe(true);
    expect((await documents.doc('k').get()).data()).toEqual(others);
    expect(await backend.records.remove('k', { expect: 'anything' })).toBe(false);
  });

  test('a document that holds the record alone is removed whole', async () => {
    const { backend, documents } = opened();
    const version = await backend.records.write('k', bytes('1'), { expect: 'absent' });
    expect(await backend.records.remove('k', { expect: { version } })).toBe(true);
    expect((await documents.doc('k').get()).exists).toBe(false);
  });

  test('a field named as the one of lease documents is somebody else’s in a record’s document', async () => {
    const { backend, documents } = opened();
    const expiresAt = 'whenever ada says so';
    await documents.doc('k').set({ token: '{}', expiresAt });
    expect(await backend.deleteToken({ tokenKey: 'k' })).toBe(true);
    expect((await documents.doc('k').get()).data()).toEqual({ expiresAt });
  });

  test('the longest field name holds the largest record', async () => {
    const { backend } = opened({ fieldName: '-'.repeat(1_400) });
    const data = Buffer.alloc(backend.capabilities.maxRecordBytes ?? 0, 'x');
    const version = await backend.records.write('k', data, { expect: 'absent' });
    await backend.records.write('k', data, { expect: { version } });
    expect(await backend.records.read('k')).toMatchObject({ data });
    expect(await backend.records.remove('k', { expect: 'anything' })).toBe(true);
  });

  test('bytes that are no text are stored as bytes, a field of another type is corrupt', async () => {
    const { backend, documents } = opened();
    const data = Buffer.from([0, 255, 128, 10]);
    await backend.records.write('k', data, { expect: 'absent' });
    expect((await documents.doc('k').get()).get('token')).toEqual(data);
    expect(await backend.records.read('k')).toMatchObject({ data });
    await documents.doc('map').set({ token: { AccessToken: {} } });
    expect(RecordCorruptError.is(await rejection(backend.loadToken({ tokenKey: 'map' })))).toBe(true);
  });

  test('a lease document says when it may be swept, a day after its last renewal', async () => {
    const { backend, documents } = opened({ clock: { now: () => Date.UTC(2026, 0, 1), monotonic: () => performance.now() } });
    await backend.leases.tryAcquire('job', { owner: 'ada', ttlMs: 60_000 });
    const [lease] = (await documents.get()).docs;
    expect(lease?.id).toMatch(/^=lease-[0-9a-f]{64}$/);
    expect(lease?.get('expiresAt').toMillis()).toBe(Date.UTC(2026, 0, 2));
    expect(await collect(backend.listKeys())).toEqual([]);
  });

  test('a lease document that was swept is lost to its holder and free to others', async () => {
    const { backend, documents } = opened();
    const ada = { owner: 'ada', ttlMs: 60_000 };
    await backend.leases.tryAcquire('job', ada);
    await (await documents.get()).docs[0]?.ref.delete();
    expect(await backend.leases.renew('job', ada)).toBe(false);
    expect(await backend.leases.tryAcquire('job', { owner: 'bob', ttlMs: 60_000 })).toEqual({ acquired: true });
  });
});

emulated('saving', () => {
  test('compares with what is stored, whoever wrote it', async () => {
    const { backend, documents } = opened();
    const version = await backend.records.write('k', bytes('1'), { expect: 'absent' });
    await documents.doc('k').set({ token: 'by hand' });
    const late = [
      () => backend.records.write('k', bytes('2'), { expect: { version } }),
      () => backend.records.write('k', bytes('2'), { expect: { version: 'made up' } }),
      () => backend.records.write('k', bytes('2'), { expect: 'absent' }),
      () => backend.records.remove('k', { expect: { version } }),
    ];
    for (const attempt of late) expect(VersionConflictError.is(await rejection(attempt()))).toBe(true);
    expect(textOf(await backend.records.read('k'))).toBe('by hand');
  });

  test('the largest record fits under the longest name, one byte more is refused before it is sent', async () => {
    const { backend, documents } = opened();
    const { maxRecordBytes = 0 } = backend.capabilities;
    const key = 'k'.repeat(200);
    await backend.records.write(key, Buffer.alloc(maxRecordBytes, 'x'), { expect: 'absent' });
    expect((await documents.doc(key).get()).get('token').length).toBe(maxRecordBytes);
    const error = await rejection(backend.records.write('k', Buffer.alloc(maxRecordBytes + 1, 'x'), { expect: 'absent' }));
    expect(error).toMatchObject({ code: 'TOKENRY_RECORD_TOO_LARGE', bytes: maxRecordBytes + 1, maxRecordBytes });
    expect((await documents.doc('k').get()).exists).toBe(false);
  });

  test('a document that other fields fill is refused by the server as too large', async () => {
    const { backend, documents } = opened();
    await documents.doc('k').set({ filler: 'x'.repeat(600_000) });
    const error = await rejection(backend.records.write('k', Buffer.alloc(600_000, 'x'), { expect: 'anything' }));
    expect(error).toMatchObject({ code: 'TOKENRY_RECORD_TOO_LARGE', bytes: 600_000 });
    expect(Object.keys((await documents.doc('k').get()).data() ?? {})).toEqual(['filler']);
  });
});

emulated('clients', () => {
  test('an injected client is used and left open', async () => {
    const client = new Firestore({ projectId: 'backend-test', host: emulator.host, ssl: false });
    const { backend, documents } = opened({ client });
    const version = await backend.records.write('k', bytes('1'), { expect: 'absent' });
    await backend.records.write('k', bytes('2'), { expect: { version } });
    await backend.close();
    expect((await client.doc(documents.doc('k').path).get()).get('token')).toBe('2');
    await client.terminate();
  });

  test('nothing of the SDK is loaded before the first call', async () => {
    expect(await new Child(scriptNamed('construct')).hear()).toEqual({ loaded: [] });
  });

  test('a process that read, saved and held a lease ends by itself', async () => {
    const child = new Child(scriptNamed('use-and-end'), [`c-${randomUUID()}`], {
      FIRESTORE_EMULATOR_HOST: emulator.host,
      GOOGLE_CLOUD_PROJECT: 'env-test',
    });
    expect(await child.hear()).toMatchObject({ keys: ['o365_token'] });
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });
});

emulated('outages', () => {
  test('a server that falls silent is reported in bounded time, and the next call connects anew', async () => {
    const proxy = await CuttableProxy.before(emulator.host);
    const { backend } = opened({ timeoutMs: 1_500 }, proxy.host);
    await backend.records.write('k', bytes('1'), { expect: 'absent' });
    proxy.mute();
    expect(await rejection(backend.records.read('k'))).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE', retryable: true });
    await proxy.mend();
    expect(textOf(await backend.records.read('k'))).toBe('1');
    await proxy.cut();
  });

  test('a stopped emulator is an outage, a continued one serves again', async () => {
    const { backend } = opened({ timeoutMs: 1_500 });
    await backend.records.write('k', bytes('1'), { expect: 'absent' });
    process.kill(-emulator.pid, 'SIGSTOP');
    const errors = await Promise.all([
      rejection(backend.records.read('k')),
      rejection(backend.leases.tryAcquire('l', { owner: 'a', ttlMs: 1_000 })),
    ]);
    process.kill(-emulator.pid, 'SIGCONT');
    expect(errors.map(({ code }) => code)).toEqual(['TOKENRY_BACKEND_UNAVAILABLE', 'TOKENRY_BACKEND_UNAVAILABLE']);
    expect(textOf(await backend.records.read('k'))).toBe('1');
  });

  test('a save whose answer is lost is found to have been made', async () => {
    const proxy = await CuttableProxy.before(emulator.host);
    const { backend, documents } = opened({}, proxy.host);
    const version = await backend.records.write('k', bytes('1'), { expect: 'absent' });
    const saved = await proxy.losingAnswer(1, () => backend.records.write('k', bytes('2'), { expect: { version } }));
    const stored = await documents.doc('k').get();
    expect(stored.get('token')).toBe('2');
    expect(textOf(await backend.records.read('k', { ifNotVersion: version }))).toBe('2');
    expect(await backend.records.read('k', { ifNotVersion: saved })).toBe('not-modified');
    const created = await proxy.losingAnswer(1, () => backend.records.write('new', bytes('1'), { expect: 'absent' }));
    expect(await backend.records.read('new', { ifNotVersion: created })).toBe('not-modified');
    expect(await proxy.losingAnswer(2, () => backend.records.remove('new', { expect: { version: created } }))).toBe(true);
    await proxy.cut();
  });
});

emulated('many', () => {
  test('10 000 records are listed in pages, each once', async () => {
    const { backend, documents } = opened();
    for (let from = 0; from < 10_000; from += 500) {
      const batch = admin.batch();
      for (let n = from; n < from + 500; n++) batch.set(documents.doc(`user-${n}`), { token: '{}' });
      await batch.commit();
    }
    const keys = await collect(backend.listKeys());
    expect(keys.length).toBe(10_000);
    expect(new Set(keys).size).toBe(10_000);
  });

  const environment = () => ({ FIRESTORE_EMULATOR_HOST: emulator.host, GOOGLE_CLOUD_PROJECT: 'backend-test' });
  const PROCESSES = Number(process.env.PROCESSES ?? 4);
  const INCREMENTS = Number(process.env.INCREMENTS ?? 15);
  const KEYS = Number(process.env.KEYS ?? 1);

  test(`${PROCESSES} processes increment ${KEYS} record(s) ${INCREMENTS} times each: no update is lost`, async () => {
    const { collection, documents } = opened();
    const start = () => Child.started(scriptNamed('count-up'), [collection, KEYS, INCREMENTS], environment());
    const children = await Promise.all(Array.from({ length: PROCESSES }, start));
    const startedAt = performance.now();
    for (const child of children) child.say('go');
    const said = await Promise.all(children.map((child) => child.hear<{ readonly conflicts: number }>()));
    const seconds = (performance.now() - startedAt) / 1_000;
    const counts = (await documents.get()).docs.map((document) => JSON.parse(document.get('token') as string).count as number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(PROCESSES * INCREMENTS);
    const conflicts = said.reduce((sum, each) => sum + each.conflicts, 0);
    if (process.env.INCREMENTS)
      console.info({ processes: PROCESSES, keys: KEYS, total: PROCESSES * INCREMENTS, seconds, conflicts });
    expect(await Promise.all(children.map((child) => child.exited))).toEqual(Array(PROCESSES).fill({ code: 0, signal: null }));
  });

  test('of several processes that want the same leases at once, one gets each', async () => {
    const { collection } = opened();
    const names = Array.from({ length: 12 }, (_, n) => `job-${n}`);
    const start = () => Child.started(scriptNamed('race-leases'), [collection, names], environment());
    const children = await Promise.all(Array.from({ length: PROCESSES }, start));
    for (const child of children) child.say('go');
    const said = await Promise.all(children.map((child) => child.hear<{ readonly got: readonly string[] }>()));
    expect(said.flatMap(({ got }) => got).sort()).toEqual([...names].sort());
  });
});
