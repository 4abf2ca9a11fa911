import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { BaseTokenBackend } from '../../src/backend/base-token-backend.js';
import { InProcessLeases } from '../../src/backend/in-process-leases.js';
import { recordAccessOf } from '../../src/backend/record-access.js';
import type { TokenBackend } from '../../src/backend/token-backend.js';
import { type Clock, systemClock } from '../../src/clock.js';
import { JweCryptographyManager } from '../../src/crypto/jwe-cryptography-manager.js';
import {
  BackendUnavailableError,
  CapabilityError,
  DecryptError,
  RecordCorruptError,
  TokenryError,
  VersionConflictError,
} from '../../src/errors.js';
import { AsyncStore } from './support/async-store.js';
import { collect } from './support/collect.js';
import { CAPABILITIES, StoreBackend } from './support/store-backend.js';
import { TestClock } from './support/test-clock.js';
import { homeOf, namesIn, refreshTokenOf, signedIn, signIn } from './support/tokens.js';

const DEFAULT = 'o365_token.txt';
const bytes = (text: string) => Buffer.from(text);
const setAside = (store: AsyncStore) => [...store.records.keys()].filter((name) => name.startsWith('=corrupt-'));

describe('the token face', () => {
  it('loads what was saved, as private copies', async () => {
    const backend = new StoreBackend();
    expect(await backend.loadToken()).toBeUndefined();
    await backend.saveToken(signedIn('ada'));
    const copy = await backend.loadToken();
    copy?.removeAccount({ username: 'ada@contoso.example' });
    expect(namesIn(await backend.loadToken())).toEqual(['ada']);
    expect(namesIn(await new StoreBackend({ store: backend.store }).loadToken())).toEqual(['ada']);
  });

  it('stores plain JSON in the unified schema under the default name, literally', async () => {
    const backend = new StoreBackend({ defaultTokenKey: 'My Token.json' });
    await backend.saveToken(signedIn('ada'));
    expect(Object.keys(JSON.parse(backend.store.text('My Token.json') ?? ''))).toContain('RefreshToken');
  });

  it('merges saves of two programs that loaded the same record', async () => {
    const store = new AsyncStore();
    const [one, other] = [new StoreBackend({ store }), new StoreBackend({ store })];
    await one.saveToken(signedIn('ada'));
    const [mine, theirs] = [await one.loadToken(), await other.loadToken()];
    if (!mine || !theirs) throw new Error('not stored');
    signIn(mine, 'bob');
    signIn(theirs, 'eve');
    await one.saveToken(mine);
    await other.saveToken(theirs);
    expect(namesIn(await one.loadToken({ fresh: true }))).toEqual(['ada', 'bob', 'eve']);
    expect(namesIn(theirs)).toEqual(['ada', 'bob', 'eve']);
  });

  it('adds with a cache that was never loaded, and removes nothing', async () => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    await backend.saveToken(signedIn('bob'));
    expect(namesIn(await backend.loadToken())).toEqual(['ada', 'bob']);
  });

  it('follows a cache that is saved, changed and saved again', async () => {
    const backend = new StoreBackend();
    const cache = signedIn('ada', 'bob');
    await backend.saveToken(cache);
    cache.removeAccount({ username: 'bob@contoso.example' });
    await backend.saveToken(cache);
    expect(namesIn(await backend.loadToken({ fresh: true }))).toEqual(['ada']);
  });

  it('loses no update of writers that meet: 2 instances, 40 accounts in one record', async () => {
    const store = new AsyncStore();
    store.maxTurns = 2;
    const backends = [new StoreBackend({ store }), new StoreBackend({ store })];
    const conflicts: unknown[] = [];
    const listen = (event: unknown) => conflicts.push(event);
    channel('tokenry:conflict').subscribe(listen);
    const names = Array.from({ length: 40 }, (_, index) => `user${String(index).padStart(2, '0')}`);
    await Promise.all(names.map((name, index) => backends[index % 2]?.updateToken((cache) => signIn(cache, name))));
    channel('tokenry:conflict').unsubscribe(listen);
    expect(namesIn(await new StoreBackend({ store }).loadToken())).toEqual(names);
    expect(conflicts.length).toBeGreaterThan(0);
  });

  it('gives up after 30 s of conflicts', async () => {
    const clock = new TestClock();
    const backend = new StoreBackend({ clock });
    backend.store.write = (name) => Promise.reject(new VersionConflictError(name));
    const saving = backend.saveToken(signedIn('ada')).catch((error: unknown) => error);
    await clock.advance(31_000);
    const error = await saving;
    expect(VersionConflictError.is(error) && error.key).toBe(DEFAULT);
  });

  it('ends the conflict loop when the signal aborts', async () => {
    const clock = new TestClock();
    const backend = new StoreBackend({ clock });
    backend.store.write = (name) => Promise.reject(new VersionConflictError(name));
    const controller = new AbortController();
    const saving = backend.saveToken(signedIn('ada'), { signal: controller.signal }).catch((error: unknown) => error);
    await clock.advance(1_000);
    controller.abort(new Error('enough'));
    expect(await saving).toEqual(new Error('enough'));
  });

  it('writes nothing when nothing changes', async () => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    const { write } = backend.store.calls;
    const cache = await backend.loadToken();
    if (cache) await backend.saveToken(cache);
    await backend.updateToken(() => {});
    await backend.updateToken(() => {}, { tokenKey: 'nobody' });
    expect(backend.store.calls.write).toBe(write);
    expect(backend.store.records.size).toBe(1);
  });

  it('returns from updateToken a private copy of what is stored', async () => {
    const backend = new StoreBackend();
    const copy = await backend.updateToken((cache) => signIn(cache, 'ada'));
    expect(namesIn(copy)).toEqual(['ada']);
    signIn(copy, 'bob');
    expect(namesIn(await backend.loadToken())).toEqual(['ada']);
  });

  it('passes on what `change` throws, and writes nothing', async () => {
    const backend = new StoreBackend();
    const change = () => {
      throw new Error('mine');
    };
    await expect(backend.updateToken(change)).rejects.toThrow('mine');
    expect(backend.store.calls.write).toBe(0);
  });

  it('keeps an empty record when the last account is removed', async () => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    await backend.updateToken((cache) => void cache.removeAccount({ homeAccountId: homeOf('ada') }));
    expect(backend.store.records.has(DEFAULT)).toBe(true);
    expect([await backend.checkToken(), (await backend.loadToken())?.hasData]).toEqual([false, false]);
  });

  it('B27: deleteToken removes the record from the store and from memory', async () => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    expect(await backend.checkToken()).toBe(true);
    expect(await backend.deleteToken()).toBe(true);
    expect([await backend.loadToken(), await backend.checkToken(), await backend.deleteToken()]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(backend.store.records.size).toBe(0);
  });

  it('leaves access tokens that have ended out of what it writes', async () => {
    const clock = new TestClock();
    const backend = new StoreBackend({ clock });
    await backend.updateToken((cache) => signIn(cache, 'ada', { now: clock.now() - 7_200_000 }));
    const text = backend.store.text(DEFAULT) ?? '';
    expect([text.includes('at-TEST'), text.includes('rt-TEST-ada-1')]).toEqual([false, true]);
  });

  it('finds its own bytes after a save whose answer was lost', async () => {
    const backend = new StoreBackend();
    backend.store.faults.push({ operation: 'write', error: new BackendUnavailableError('reset'), commit: true });
    await backend.saveToken(signedIn('ada'));
    expect(namesIn(await backend.loadToken())).toEqual(['ada']);
  });

  it('never takes an outage for an absent record', async () => {
    const backend = new StoreBackend();
    const down = () => backend.store.faults.push({ operation: 'read', error: new BackendUnavailableError('down') });
    for (const call of [() => backend.loadToken(), () => backend.checkToken(), () => backend.updateToken(() => {})]) {
      down();
      await expect(call()).rejects.toThrow(BackendUnavailableError);
    }
  });

  it('lists token keys: no side records, no strangers, long and odd keys as they were', async () => {
    const backend = new StoreBackend({ keyPrefix: 'App/' });
    const keys = [DEFAULT, 'a/b', '..', 'ü'.repeat(128), '=lease-x'];
    for (const tokenKey of keys) await backend.saveToken(signedIn('ada'), { tokenKey });
    await backend.leases.tryAcquire('l', { owner: 'me', ttlMs: 1_000 });
    backend.store.records.set('stranger', { data: bytes('x'), version: 'x' });
    expect((await collect(backend.listKeys())).sort()).toEqual(keys.sort());
    for (const tokenKey of keys) await backend.deleteToken({ tokenKey });
    expect([...backend.store.records.keys()].filter((name) => !name.startsWith('=lease-'))).toEqual(['stranger']);
  });

  it('says so when it cannot list', async () => {
    const backend = new StoreBackend();
    Object.defineProperty(backend, 'listRecords', { value: undefined });
    await expect(collect(backend.listKeys())).rejects.toThrow(CapabilityError);
  });
});

describe('corrupt records', () => {
  const corrupt = (text: string | Uint8Array, clock: Clock = new TestClock()) => {
    const backend = new StoreBackend({ clock });
    backend.store.records.set(DEFAULT, { data: Buffer.from(text), version: 'corrupt' });
    return backend;
  };

  it.each([
    ['empty', ''],
    ['torn', '{"Account":{"a":'],
    ['an array', '[]'],
    ['binary', new Uint8Array([0, 255, 1])],
  ])('throw on every read and stay as they are (%s)', async (_what, text) => {
    const backend = corrupt(text);
    for (let round = 0; round < 2; round++) {
      await expect(backend.loadToken()).rejects.toThrow(RecordCorruptError);
      await expect(backend.saveToken(signedIn('ada'))).rejects.toThrow(RecordCorruptError);
      await expect(backend.updateToken((cache) => signIn(cache, 'ada'))).rejects.toThrow(RecordCorruptError);
    }
    expect([...backend.store.records.keys()]).toEqual([DEFAULT]);
    expect(Buffer.from(backend.store.records.get(DEFAULT)?.data ?? [])).toEqual(Buffer.from(text));
  });

  it('are copied aside, byte by byte, when a sign-in overwrites them', async () => {
    const backend = corrupt('{"torn');
    await backend.updateToken((cache) => signIn(cache, 'ada'), { overwriteCorrupt: true });
    expect(namesIn(await backend.loadToken({ fresh: true }))).toEqual(['ada']);
    const [name = ''] = setAside(backend.store);
    expect(name).toMatch(/^=corrupt-[0-9a-f]{16}-1700000001000$/);
    expect(backend.store.text(name)).toBe('{"torn');
    expect(await collect(backend.listKeys())).toEqual([DEFAULT]);
  });

  it('are not overwritten when they cannot be copied aside', async () => {
    const backend = corrupt('{"torn');
    backend.store.faults.push({ operation: 'write', error: new BackendUnavailableError('full') });
    const signingIn = backend.updateToken((cache) => signIn(cache, 'ada'), { overwriteCorrupt: true });
    await expect(signingIn).rejects.toThrow('full');
    expect(backend.store.text(DEFAULT)).toBe('{"torn');
  });

  it('that somebody mended meanwhile are merged with, not overwritten', async () => {
    const backend = corrupt('{"torn', systemClock);
    const { read } = backend.store;
    let reads = 0;
    backend.store.read = async (name, options) => {
      const found = await read.call(backend.store, name, options);
      if (++reads === 2) backend.store.records.set(DEFAULT, { data: bytes(signedIn('bob').serialize()), version: 'mended' });
      return found;
    };
    await backend.updateToken((cache) => signIn(cache, 'ada'), { overwriteCorrupt: true });
    expect(namesIn(await backend.loadToken({ fresh: true }))).toEqual(['ada', 'bob']);
  });
});

describe('encrypted records', () => {
  const manager = (options: object = {}) =>
    new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(1) }, activeKid: 'k1', ...options });

  it('hold no token in clear, and open for the same key only', async () => {
    const store = new AsyncStore();
    const backend = new StoreBackend({ store, cryptographyManager: manager() });
    await backend.saveToken(signedIn('ada'));
    expect(store.text(DEFAULT)).toMatch(/^eyJ[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
    const stranger = new StoreBackend({ store, cryptographyManager: manager({ keys: { k1: new Uint8Array(32).fill(9) } }) });
    await expect(stranger.loadToken()).rejects.toMatchObject({ reason: 'tampered' });
    expect(namesIn(await new StoreBackend({ store, cryptographyManager: manager() }).loadToken())).toEqual(['ada']);
  });

  it('do not open under another token key or prefix', async () => {
    const store = new AsyncStore();
    const backend = new StoreBackend({ store, cryptographyManager: manager() });
    await backend.saveToken(signedIn('ada'), { tokenKey: 'ada' });
    for (const name of ['eve', 'p-ada']) store.records.set(name, { data: bytes(store.text('ada') ?? ''), version: 'moved' });
    await expect(backend.loadToken({ tokenKey: 'eve' })).rejects.toMatchObject({ reason: 'wrong-record' });
    const prefixed = new StoreBackend({ store, cryptographyManager: manager(), keyPrefix: 'p-' });
    await expect(prefixed.loadToken({ tokenKey: 'ada' })).rejects.toMatchObject({ reason: 'wrong-record' });
  });

  it('B28: a plaintext record is read once and encrypted by the next write', async () => {
    const store = new AsyncStore();
    await new StoreBackend({ store }).saveToken(signedIn('ada'));
    const strict = new StoreBackend({ store, cryptographyManager: manager() });
    await expect(strict.loadToken()).rejects.toMatchObject({ reason: 'plaintext-refused' });
    const backend = new StoreBackend({ store, cryptographyManager: manager({ acceptPlaintext: true }) });
    expect(namesIn(await backend.loadToken())).toEqual(['ada']);
    await backend.updateToken((cache) => signIn(cache, 'bob'));
    expect(store.text(DEFAULT)).toMatch(/^eyJ/);
    expect(namesIn(await strict.loadToken({ fresh: true }))).toEqual(['ada', 'bob']);
  });

  it('that do not open are copied aside as they are before a sign-in overwrites them', async () => {
    const store = new AsyncStore();
    await new StoreBackend({ store, cryptographyManager: manager() }).saveToken(signedIn('ada'));
    const sealed = store.text(DEFAULT);
    const keys = { k2: new Uint8Array(32).fill(2) };
    const backend = new StoreBackend({ store, cryptographyManager: manager({ keys, activeKid: 'k2' }) });
    await expect(backend.updateToken((cache) => signIn(cache, 'bob'))).rejects.toThrow(DecryptError);
    await backend.updateToken((cache) => signIn(cache, 'bob'), { overwriteCorrupt: true });
    expect(store.text(setAside(store)[0] ?? '')).toBe(sealed);
    expect(namesIn(await backend.loadToken())).toEqual(['bob']);
  });

  it('work with a synchronous manager and any bytes', async () => {
    const flip = (data: Uint8Array) => data.map((byte) => byte ^ 0xaa);
    const backend = new StoreBackend({ cryptographyManager: { encrypt: flip, decrypt: flip } });
    await backend.saveToken(signedIn('ada'));
    expect(backend.store.text(DEFAULT)).not.toContain('Account');
    expect(namesIn(await backend.loadToken({ fresh: true }))).toEqual(['ada']);
  });
});

describe('the record face', () => {
  it('reads and writes plaintext whatever is stored', async () => {
    const manager = new JweCryptographyManager({ keys: { k: new Uint8Array(32) }, activeKid: 'k' });
    const { records, store } = new StoreBackend({ cryptographyManager: manager });
    const version = await records.write('k', bytes('hello'), { expect: 'absent' });
    expect(await records.read('k')).toEqual({ data: Uint8Array.from(bytes('hello')), version });
    expect(await records.read('k', { ifNotVersion: version })).toBe('not-modified');
    expect(store.text('k')).not.toContain('hello');
  });

  it('names token keys in conflicts, and writes nothing then', async () => {
    const { records } = new StoreBackend();
    await records.write('User', bytes('1'), { expect: 'absent' });
    const error = await records.write('User', bytes('2'), { expect: 'absent' }).catch((thrown: unknown) => thrown);
    expect(VersionConflictError.is(error) && error.key).toBe('User');
    expect(await records.read('User')).toMatchObject({ data: bytes('1') });
  });

  it('names the token key of a record that is too large, and sends nothing', async () => {
    const backend = new StoreBackend({ own: { capabilities: { ...CAPABILITIES, maxRecordBytes: 10 } } });
    const writing = backend.records.write('User', bytes('12345678901'), { expect: 'absent' });
    await expect(writing).rejects.toThrow('The record "User" has 11 bytes; this store holds at most 10.');
    await expect(backend.saveToken(signedIn('ada'))).rejects.toMatchObject({
      code: 'TOKENRY_RECORD_TOO_LARGE',
      maxRecordBytes: 10,
    });
    expect(backend.store.calls.write).toBe(0);
  });

  it('lets the token face see its writes at once', async () => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    await backend.records.write(DEFAULT, bytes(signedIn('bob').serialize()), { expect: 'anything' });
    expect(namesIn(await backend.loadToken())).toEqual(['bob']);
    await backend.records.remove(DEFAULT, { expect: 'anything' });
    expect(await backend.loadToken()).toBeUndefined();
  });

  it('refuses a write that names no expectation', async () => {
    const { records } = new StoreBackend();
    for (const options of [{}, undefined, { expect: 'any' }, { expect: {} }])
      await expect(records.write('k', bytes('1'), options as never)).rejects.toThrow(TypeError);
  });
});

describe('a backend', () => {
  it('does no I/O when made', () => {
    const { store } = new StoreBackend();
    expect(store.calls).toEqual({ read: 0, write: 0, remove: 0 });
  });

  it('refuses unknown options, naming the nearest one', () => {
    const make = () => new StoreBackend({ keyPrefx: 'a' } as object);
    expect(make).toThrow(
      expect.objectContaining({ code: 'TOKENRY_UNKNOWN_OPTION', message: expect.stringContaining('"keyPrefix"') }),
    );
    expect(() => new StoreBackend({ recordCache: { maxRecord: 1 } as object })).toThrow(/did you mean "maxRecords"/);
  });

  it.each([
    ['cryptographyManager', { cryptographyManager: {} }],
    ['leases', { leases: { tryAcquire: () => {} } }],
    ['clock', { clock: { now: () => 0 } }],
    ['keyPrefix', { keyPrefix: 1 }],
    ['defaultTokenKey', { defaultTokenKey: '=lease-1' }],
    ['maxRecords', { recordCache: { maxRecords: 0 } }],
    ['maxStalenessMs', { recordCache: { maxStalenessMs: -1 } }],
  ])('refuses a bad %s', (_name, options) => {
    expect(() => new StoreBackend(options as object)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^TOKENRY_/) }),
    );
  });

  it('refuses bad token keys before anything is sent', async () => {
    const backend = new StoreBackend();
    for (const tokenKey of ['', 'x'.repeat(257), '\udc00', 1 as never]) {
      await expect(backend.loadToken({ tokenKey })).rejects.toMatchObject({
        code: expect.stringMatching(/INVALID_ARGUMENT|OUT_OF_RANGE/),
      });
      await expect(backend.records.read(tokenKey)).rejects.toMatchObject({
        code: expect.stringMatching(/INVALID_ARGUMENT|OUT_OF_RANGE/),
      });
    }
    expect(backend.store.calls.read).toBe(0);
  });

  it.each<[string, (backend: StoreBackend, options: object) => Promise<unknown>]>([
    ['loadToken', (backend, options) => backend.loadToken(options)],
    ['saveToken', (backend, options) => backend.saveToken(signedIn('bob'), options)],
    ['updateToken', (backend, options) => backend.updateToken(() => {}, options)],
    ['checkToken', (backend, options) => backend.checkToken(options)],
    ['deleteToken', (backend, options) => backend.deleteToken(options)],
  ])('refuses a misspelt tokenKey of %s instead of taking the default record', async (_name, call) => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    const { calls } = backend.store;
    const before = { ...calls };
    await expect(call(backend, { tokenky: 'user-42' })).rejects.toMatchObject({
      code: 'TOKENRY_UNKNOWN_OPTION',
      message: expect.stringContaining('did you mean "tokenKey"'),
    });
    expect(calls).toEqual(before);
    expect(await backend.checkToken()).toBe(true);
  });

  it('is recognised across installed copies', () => {
    expect(BaseTokenBackend.is(new StoreBackend())).toBe(true);
    expect(BaseTokenBackend.is({ [Symbol.for('tokenry.tokenBackend')]: true })).toBe(true);
    expect([BaseTokenBackend.is({}), BaseTokenBackend.is(null), BaseTokenBackend.is('backend')]).toEqual([false, false, false]);
  });

  it('has one id per store', () => {
    expect(new StoreBackend({ own: { id: 'blob:a' } }).id).toBe('blob:a');
    expect(new StoreBackend({ own: { id: 'blob:a' }, keyPrefix: 'p' }).id).toBe('blob:a#p');
    expect(new StoreBackend().id).toBe(new StoreBackend().id);
    const own = { capabilities: { ...CAPABILITIES, shared: false } };
    expect(new StoreBackend({ own }).id).not.toBe(new StoreBackend({ own }).id);
  });

  it('has leases of its own that exclude other instances on the store', async () => {
    const store = new AsyncStore();
    const [one, other] = [new StoreBackend({ store }), new StoreBackend({ store })];
    expect(await one.leases.tryAcquire('l', { owner: 'a', ttlMs: 1_000 })).toEqual({ acquired: true });
    expect(await other.leases.tryAcquire('l', { owner: 'b', ttlMs: 1_000 })).toMatchObject({ acquired: false, holder: 'a' });
  });

  it('takes leases from elsewhere, and says that it has them', () => {
    const leases = new InProcessLeases();
    const own = { capabilities: { ...CAPABILITIES, conditionalWrites: false, leases: false } };
    const backend = new StoreBackend({ leases, own });
    expect([backend.leases, backend.capabilities.leases]).toEqual([leases, true]);
    expect(new StoreBackend({ own }).capabilities.leases).toBe(false);
  });

  it('compares under the lease where a shared store cannot', async () => {
    const store = new AsyncStore();
    store.maxTurns = 3;
    const { write } = store;
    store.write = (name, data) => write.call(store, name, data, { expect: 'anything' });
    const leases = new InProcessLeases();
    const own = { capabilities: { ...CAPABILITIES, conditionalWrites: false } };
    const backends = [new StoreBackend({ store, own, leases }), new StoreBackend({ store, own, leases })];
    const names = Array.from({ length: 10 }, (_, index) => `user${index}`);
    await Promise.all(names.map((name, index) => backends[index % 2]?.updateToken((cache) => signIn(cache, name))));
    expect(namesIn(await new StoreBackend({ store }).loadToken())).toEqual(names);
  });

  it('would refresh unless a subclass says otherwise', async () => {
    expect(await new StoreBackend().shouldRefreshToken({} as never)).toBe(true);
  });

  it('closes its resources once and refuses calls after that', async () => {
    const backend = new StoreBackend();
    await backend.saveToken(signedIn('ada'));
    await backend[Symbol.asyncDispose]();
    await backend.close();
    expect(backend.closed).toBe(1);
    for (const call of [() => backend.loadToken(), () => backend.saveToken(signedIn('bob')), () => backend.records.read('k')])
      await expect(call()).rejects.toThrow(CapabilityError);
  });

  it('never shows a secret in what it prints', async () => {
    const { inspect } = await import('node:util');
    const key = new Uint8Array(32).fill(7);
    const backend = new StoreBackend({ cryptographyManager: new JweCryptographyManager({ keys: { k: key }, activeKid: 'k' }) });
    await backend.saveToken(signedIn('ada'));
    const { store: _store, ...shown } = backend;
    expect(`${inspect(shown, { depth: 9 })}${JSON.stringify(shown)}`).not.toMatch(/TEST|7, 7/);
  });
});

describe('record access to a foreign backend', () => {
  it('is built over its token face, once', async () => {
    const inner = new StoreBackend();
    const foreign: TokenBackend = {
      id: 'foreign',
      defaultTokenKey: DEFAULT,
      capabilities: inner.capabilities,
      records: inner.records,
      leases: inner.leases,
      loadToken: (options) => inner.loadToken(options),
      saveToken: (cache, options) => inner.saveToken(cache, options),
      updateToken: (change, options) => inner.updateToken(change, options),
      checkToken: (options) => inner.checkToken(options),
      deleteToken: (options) => inner.deleteToken(options),
      listKeys: (options) => inner.listKeys(options),
      shouldRefreshToken: (request) => inner.shouldRefreshToken(request),
      close: () => inner.close(),
    };
    const access = recordAccessOf(foreign);
    expect(recordAccessOf(foreign)).toBe(access);
    expect(access).not.toBe(recordAccessOf(inner));
    expect(await access.fresh(DEFAULT)).toBeUndefined();
    expect(await access.commit(DEFAULT, (cache) => signIn(cache, 'ada'))).toMatchObject({ saved: true });
    expect(refreshTokenOf(access.peek(DEFAULT)?.cache, 'ada')).toBe('rt-TEST-ada-1');
    expect(namesIn(await inner.loadToken())).toEqual(['ada']);
    const before = access.peek(DEFAULT);
    expect(await access.fresh(DEFAULT)).toBe(before);
    inner.store.faults.push({ operation: 'write', error: new BackendUnavailableError('down') });
    const pending = await access.commit(DEFAULT, (cache) => signIn(cache, 'bob'));
    expect([pending.saved, namesIn(access.peek(DEFAULT)?.cache)]).toEqual([false, ['ada', 'bob']]);
    await pending.settled;
    expect(namesIn(await inner.loadToken())).toEqual(['ada', 'bob']);
  });

  it('is the backend’s own where there is one', () => {
    const backend = new StoreBackend();
    expect(recordAccessOf(backend)).toBe((backend as never)[Symbol.for('tokenry.recordAccess')]);
    expect(TokenryError.is(backend)).toBe(false);
  });
});
