import assert from 'node:assert/strict';
import {
  BackendAccessDeniedError,
  BackendUnavailableError,
  DecryptError,
  RecordCorruptError,
  type TokenBackend,
  TokenryError,
} from '@tokenry/core/backend';
import { bytes } from '../bytes.js';
import { everyOperation } from '../every-operation.js';
import { group, needs } from '../group.js';
import { readText, writeText } from '../record-text.js';
import { type ErrorClass, rejectsWith } from '../rejections.js';
import { denial, unreachability } from '../requirement.js';
import { accountsIn, signedIn, signIn } from '../sample-tokens.js';
import type { Scene } from '../scene.js';

/** Encrypted records that were damaged do not open; plain ones do not parse. */
const DAMAGED = [RecordCorruptError, DecryptError] as const;

export const errors = group('errors', {
  'an unreachable store is never answered as absence': needs([unreachability], async (scene) =>
    everyOperationRejects(scene, 'unreachable', BackendUnavailableError),
  ),

  'a store works again after it was unreachable': needs([unreachability], async (scene) => worksAgainAfter(scene, 'unreachable')),

  'records written before an outage are still there after it': needs([unreachability], async (scene) =>
    keeps(scene, 'unreachable'),
  ),

  'a lease that is granted in an outage is really held': needs([unreachability], async (scene) => {
    const [ada, bob] = await scene.pair('leases');
    const ask = (peer: TokenBackend, owner: string) => peer.leases.tryAcquire('job', { owner, ttlMs: 60_000 });
    const asking = () => ask(ada, 'ada').catch((error: unknown) => error);
    const answer = await scene.during('unreachable', asking);
    // Leases of another store, or of this process alone, do not notice; an error has to be one of ours.
    if (answer instanceof Error) return assert.ok(TokenryError.is(answer), `the lease was refused with ${String(answer)}`);
    assert.ok(isGranted(answer), 'a holder was made up');
    assert.ok(!isGranted(await ask(bob, 'bob')), 'a lease was granted by nobody: somebody else got it too');
  }),

  'a store that denies access is never answered as absence': needs([denial], async (scene) =>
    everyOperationRejects(scene, 'denied', BackendAccessDeniedError),
  ),

  'a store works again after it denied access': needs([denial], async (scene) => worksAgainAfter(scene, 'denied')),

  'records written before access was denied are still there after it': needs([denial], async (scene) => keeps(scene, 'denied')),

  'a corrupt record is never answered as absence': async (scene) => {
    const backend = await withCorruptRecord(scene);
    for (const attempt of ['first', 'second']) {
      await rejectsWith(DAMAGED, `the ${attempt} loadToken`, () => backend.loadToken({ tokenKey: 'damaged' }));
      await rejectsWith(DAMAGED, `the ${attempt} fresh loadToken`, () => backend.loadToken({ tokenKey: 'damaged', fresh: true }));
      await rejectsWith(DAMAGED, `the ${attempt} checkToken`, () => backend.checkToken({ tokenKey: 'damaged' }));
    }
  },

  'a corrupt record is not overwritten by an update': async (scene) => {
    const backend = await withCorruptRecord(scene);
    const change = () => backend.updateToken((cache) => signIn(cache, 'eve'), { tokenKey: 'damaged' });
    await rejectsWith(DAMAGED, 'updateToken', change);
    await rejectsWith(DAMAGED, 'saveToken', () => backend.saveToken(signedIn('eve'), { tokenKey: 'damaged' }));
    await rejectsWith(DAMAGED, 'loadToken afterwards', () => backend.loadToken({ tokenKey: 'damaged', fresh: true }));
  },

  'a corrupt record can be deleted': async (scene) => {
    const backend = await withCorruptRecord(scene);
    assert.equal(await backend.deleteToken({ tokenKey: 'damaged' }), true);
    assert.equal(await backend.loadToken({ tokenKey: 'damaged', fresh: true }), undefined);
  },

  'a corrupt record is replaced by a sign-in that says so': async (scene) => {
    const backend = await withCorruptRecord(scene);
    await backend.updateToken((cache) => signIn(cache, 'ada'), { tokenKey: 'damaged', overwriteCorrupt: true });
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'damaged', fresh: true })), ['ada']);
  },

  'an empty record is corrupt, not absent': async (scene) => {
    const backend = await scene.open();
    // A store may refuse to hold nothing at all; what it must not do is to lose it.
    const stored = await backend.records.write('empty', bytes(''), { expect: 'anything' }).then(
      () => true,
      () => false,
    );
    if (stored) await rejectsWith(DAMAGED, 'loadToken', () => backend.loadToken({ tokenKey: 'empty', fresh: true }));
  },

  'a corrupt record does not disturb its neighbours': async (scene) => {
    const backend = await withCorruptRecord(scene);
    await backend.saveToken(signedIn('ada'), { tokenKey: 'sound' });
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'sound', fresh: true })), ['ada']);
  },
});

type Fault = 'unreachable' | 'denied';

async function everyOperationRejects(scene: Scene, fault: Fault, type: ErrorClass): Promise<void> {
  const backend = await scene.open();
  await backend.saveToken(signedIn('ada'), { tokenKey: 'stored' });
  const fresh = scene.capabilities.shared ? await scene.open() : undefined;
  // Of a record in memory only a fresh read has to notice; of one that was never read, every operation.
  const reading = () =>
    rejectsWith(type, 'a fresh loadToken of a known record', () => backend.loadToken({ tokenKey: 'stored', fresh: true }));
  const operations = [...everyOperation(backend, 'never-read'), ...(fresh ? everyOperation(fresh, 'stored') : [])];
  await scene.during(fault, async () => {
    await Promise.all([reading(), ...operations.map(([name, operation]) => rejectsWith(type, name, operation))]);
  });
}

async function worksAgainAfter(scene: Scene, fault: Fault): Promise<void> {
  const backend = await scene.open();
  await scene.during(fault, async () => {
    await backend.records.read('ada').catch(() => undefined);
  });
  await writeText(backend, 'ada', '{"a":1}');
  assert.equal(await readText(backend, 'ada'), '{"a":1}');
  await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
  assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'user-1', fresh: true })), ['ada']);
}

async function keeps(scene: Scene, fault: Fault): Promise<void> {
  const backend = await scene.open();
  await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
  await writeText(backend, 'ada', '{"a":1}');
  await scene.during(fault, async () => {
    const late = [writeText(backend, 'ada', '{"a":2}'), backend.deleteToken({ tokenKey: 'user-1' })];
    await Promise.allSettled(late);
  });
  assert.equal(await readText(backend, 'ada'), '{"a":1}');
  assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'user-1', fresh: true })), ['ada']);
}

async function withCorruptRecord(scene: Scene): Promise<TokenBackend> {
  const backend = await scene.open();
  await writeText(backend, 'damaged', '{"RefreshToken":');
  await scene.store.faults?.corrupt?.('damaged');
  return backend;
}

const isGranted = (answer: unknown): boolean => (answer as { acquired?: unknown }).acquired === true;
