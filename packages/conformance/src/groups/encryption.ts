import assert from 'node:assert/strict';
import { type CryptographyManager, DecryptError, type TokenBackend } from '@tokenry/core/backend';
import { bytes } from '../bytes.js';
import { group } from '../group.js';
import { readText, writeText } from '../record-text.js';
import { rejectsWith } from '../rejections.js';
import { accountsIn, refreshTokenIn, refreshTokenOf, signedIn, signIn } from '../sample-tokens.js';
import type { Scene } from '../scene.js';
import { forgedKeyRing, keyRing, lenientKeyRing, plaintext, SwitchableCryptography } from '../switchable-cryptography.js';

/** A valid token cache with a secret that is easy to find. */
const CACHE = '{"RefreshToken":{},"note":"rt-TEST-visible"}';
const CHANGED = '{"RefreshToken":{},"note":"rt-TEST-changed"}';

export const encryption = group('encryption', {
  'an encrypted record reads back': async (scene) => {
    const { backend } = await sealed(scene);
    await writeText(backend, 'ada', CACHE);
    assert.equal(await readText(backend, 'ada'), CACHE);
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    const loaded = await backend.loadToken({ tokenKey: 'user-1', fresh: true });
    assert.equal(refreshTokenIn(loaded, 'ada'), refreshTokenOf('ada'));
  },

  'neither a secret nor JSON is visible at rest': async (scene) => {
    const { backend, cryptography } = await sealed(scene);
    await backend.saveToken(signedIn('ada'), { tokenKey: 'ada' });
    await backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: 'ada' });
    hidesEverything(await cryptography.with(plaintext, async () => (await backend.records.read('ada')) as StoredBytes));
    if (scene.store.readRaw) hidesEverything({ data: await rawBytes(scene, 'ada') });
  },

  'the version of an encrypted record changes with its bytes': async (scene) => {
    const { backend } = await sealed(scene);
    const first = await writeText(backend, 'ada', CACHE, 'absent');
    const second = await writeText(backend, 'ada', CHANGED, { version: first });
    assert.notEqual(second, first);
    assert.equal(await backend.records.read('ada', { ifNotVersion: second }), 'not-modified');
  },

  'an old key still opens what it sealed, and the active key seals what is written': async (scene) => {
    const { backend, cryptography } = await sealed(scene, keyRing('old'));
    await backend.saveToken(signedIn('ada'), { tokenKey: 'ada' });
    cryptography.current = keyRing('new', 'old');
    await backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: 'ada' });
    cryptography.current = keyRing('new');
    const loaded = await backend.loadToken({ tokenKey: 'ada', fresh: true });
    assert.deepEqual(accountsIn(loaded), ['ada', 'bob']);
    assert.match((await readText(backend, 'ada')) ?? '', /rt-TEST-bob/);
  },

  'a record sealed with an unknown key is an error, not absence': async (scene) =>
    doesNotOpen(scene, 'unknown-key', async ({ cryptography }) => {
      cryptography.current = keyRing('another');
    }),

  'a record sealed with another key of the same name is an error': async (scene) =>
    doesNotOpen(scene, 'tampered', async ({ cryptography }) => {
      cryptography.current = forgedKeyRing('key');
    }),

  'a record whose bytes were changed does not open': async (scene) =>
    doesNotOpen(scene, 'tampered', async ({ backend, cryptography }) => {
      await cryptography.with(plaintext, async () => {
        const stored = (await readText(backend, 'ada')) ?? '';
        const middle = Math.floor(stored.length / 2);
        await writeText(
          backend,
          'ada',
          `${stored.slice(0, middle)}${stored[middle] === 'A' ? 'B' : 'A'}${stored.slice(middle + 1)}`,
        );
      });
    }),

  'a record copied to another key does not open': async (scene) =>
    doesNotOpen(scene, 'wrong-record', async ({ backend, cryptography }) => {
      await writeText(backend, 'eve', CACHE);
      await cryptography.with(plaintext, async () => writeText(backend, 'ada', (await readText(backend, 'eve')) ?? ''));
    }),

  'a plaintext record is refused': async (scene) =>
    doesNotOpen(scene, 'plaintext-refused', async ({ backend, cryptography }) => {
      await cryptography.with(plaintext, () => writeText(backend, 'ada', CACHE));
    }),

  'a plaintext record is read where that is accepted, and encrypted by the next save': async (scene) => {
    const { backend, cryptography } = await sealed(scene, plaintext);
    await backend.saveToken(signedIn('ada'), { tokenKey: 'ada' });
    cryptography.current = lenientKeyRing('key');
    await backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: 'ada' });
    cryptography.current = keyRing('key');
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'ada', fresh: true })), ['ada', 'bob']);
    assert.match((await readText(backend, 'ada')) ?? '', /rt-TEST-bob/);
  },

  'a record that does not open is left as it is': async (scene) => {
    const { backend, cryptography } = await sealed(scene);
    await writeText(backend, 'ada', CACHE);
    cryptography.current = keyRing('another');
    await rejectsWith(DecryptError, 'updateToken', () =>
      backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: 'ada' }),
    );
    await rejectsWith(DecryptError, 'saveToken', () => backend.saveToken(signedIn('bob'), { tokenKey: 'ada' }));
    cryptography.current = keyRing('key');
    assert.equal(await readText(backend, 'ada'), CACHE);
  },

  'a record that does not open can be deleted': async (scene) => {
    const { backend, cryptography } = await sealed(scene);
    await writeText(backend, 'ada', CACHE);
    cryptography.current = keyRing('another');
    assert.equal(await backend.deleteToken({ tokenKey: 'ada' }), true);
    assert.equal(await backend.loadToken({ tokenKey: 'ada', fresh: true }), undefined);
  },
});

interface Sealed {
  readonly backend: TokenBackend;
  readonly cryptography: SwitchableCryptography;
}
interface StoredBytes {
  readonly data: Uint8Array;
}

async function sealed(scene: Scene, manager: CryptographyManager = keyRing('key')): Promise<Sealed> {
  const cryptography = new SwitchableCryptography(manager);
  return { cryptography, backend: await scene.open({ cryptographyManager: cryptography }) };
}

/** Seals a record under `ada`, lets `tamper` work, and expects that neither face opens it any more. */
async function doesNotOpen(scene: Scene, reason: DecryptError['reason'], tamper: (sealed: Sealed) => Promise<unknown>) {
  const subject = await sealed(scene);
  await writeText(subject.backend, 'ada', CACHE);
  await tamper(subject);
  for (const [name, operation] of [
    ['records.read', () => subject.backend.records.read('ada')],
    ['loadToken', () => subject.backend.loadToken({ tokenKey: 'ada' })],
    ['a fresh loadToken', () => subject.backend.loadToken({ tokenKey: 'ada', fresh: true })],
  ] as const) {
    const error = await rejectsWith(DecryptError, name, operation);
    assert.equal((error as DecryptError).reason, reason);
  }
}

function hidesEverything(stored: StoredBytes | undefined): void {
  assert.ok(stored, 'nothing is stored where the record should be');
  const atRest = Buffer.from(stored.data);
  const unpacked = Buffer.from(atRest.toString('latin1'), 'base64');
  for (const form of [atRest, unpacked])
    for (const word of ['-TEST-', 'RefreshToken', 'home_account_id', 'conformance-tenant'])
      for (const encoded of formsOf(word)) assert.equal(form.includes(encoded), false, `"${word}" is visible at rest`);
  assert.throws(() => JSON.parse(atRest.toString()), 'what is stored parses as JSON');
}

/** How a word looks plain and in hexadecimal; base64 is undone beforehand. */
const formsOf = (word: string): readonly string[] => [word, Buffer.from(word).toString('hex')];

async function rawBytes(scene: Scene, key: string): Promise<Uint8Array> {
  return (await scene.store.readRaw?.(key)) ?? bytes('{"missing":"readRaw found no record"}');
}
