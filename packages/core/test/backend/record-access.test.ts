import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RecordAccess, recordAccessOf } from '../../src/backend/record-access.js';
import { BackendAccessDeniedError, BackendUnavailableError, RecordCorruptError, TokenNotSavedError } from '../../src/errors.js';
import type { FaultEvent, SaveEvent } from '../../src/observability/events.js';
import { AsyncStore } from './support/async-store.js';
import { StoreBackend } from './support/store-backend.js';
import { settle, TestClock } from './support/test-clock.js';
import { homeOf, namesIn, refreshed, refreshTokenOf, signedIn, signIn } from './support/tokens.js';

const KEY = 'user';
const down = new BackendUnavailableError('down');

let clock: TestClock;
let store: AsyncStore;
let backend: StoreBackend;
let access: RecordAccess;
let other: StoreBackend;
const events: { fault: FaultEvent[]; save: SaveEvent[] } = { fault: [], save: [] };
const onFault = (event: unknown) => void events.fault.push(event as FaultEvent);
const onSave = (event: unknown) => void events.save.push(event as SaveEvent);

beforeEach(async () => {
  clock = new TestClock();
  store = new AsyncStore();
  backend = new StoreBackend({ store, clock });
  access = recordAccessOf(backend);
  other = new StoreBackend({ store });
  await other.saveToken(signedIn('ada'), { tokenKey: KEY });
  Object.assign(events, { fault: [], save: [] });
  channel('tokenry:fault').subscribe(onFault);
  channel('tokenry:save').subscribe(onSave);
});
afterEach(() => {
  channel('tokenry:fault').unsubscribe(onFault);
  channel('tokenry:save').unsubscribe(onSave);
});

/** Every operation of that kind fails until the returned function is called. */
function outage(operation: 'read' | 'write', error: Error = down): () => void {
  const original = store[operation];
  Object.assign(store, { [operation]: () => Promise.reject(error) });
  return () => {
    Object.assign(store, { [operation]: original });
  };
}
const current = async () => {
  const record = await access.current(KEY);
  if (!record) throw new Error('absent');
  return record;
};
const tokenIn = (record: { cache: Parameters<typeof refreshTokenOf>[0] } | undefined, name = 'ada') =>
  refreshTokenOf(record?.cache, name);
const storedToken = async (name = 'ada') => refreshTokenOf(await other.loadToken({ tokenKey: KEY, fresh: true }), name);

/** A store that tells of changes made elsewhere. */
class TellingBackend extends StoreBackend {
  changed(name: string): void {
    this.forgetRecord(name);
  }
}

describe('the record cache', () => {
  it.each(['user', 'User 1', 'k'.repeat(250)])(
    'drops a record of which the store tells that it was changed: %s',
    async (tokenKey) => {
      const telling = new TellingBackend({ store, clock });
      await other.saveToken(signedIn('ada'), { tokenKey });
      await telling.loadToken({ tokenKey });
      await other.updateToken((cache) => signIn(cache, 'bob'), { tokenKey });
      for (const name of store.records.keys()) telling.changed(name);
      expect(namesIn(await telling.loadToken({ tokenKey }))).toEqual(['ada', 'bob']);
    },
  );

  it('knows nothing at first, and then answers from memory', async () => {
    expect(access.peek(KEY)).toBeUndefined();
    const record = await current();
    expect(access.peek(KEY)).toBe(record);
    const { read } = store.calls;
    expect(await access.current(KEY)).toBe(record);
    expect(store.calls.read).toBe(read);
  });

  it('reads once for all who ask at the same time', async () => {
    store.maxTurns = 3;
    const { read } = store.calls;
    const records = await Promise.all(Array.from({ length: 25 }, () => access.current(KEY)));
    expect(new Set(records).size).toBe(1);
    expect(store.calls.read).toBe(read + 1);
  });

  it('never remembers that a record was absent', async () => {
    expect(await access.current('new')).toBeUndefined();
    await other.saveToken(signedIn('bob'), { tokenKey: 'new' });
    expect(namesIn((await access.current('new'))?.cache)).toEqual(['bob']);
  });

  it('reads again in the background after revalidateAfterMs, once, and serves the old record meanwhile', async () => {
    const record = await current();
    await other.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await clock.advance(29_999);
    const { read } = store.calls;
    access.peek(KEY);
    await settle();
    expect(store.calls.read).toBe(read);
    await clock.advance(1);
    expect([access.peek(KEY), access.peek(KEY)]).toEqual([record, record]);
    await settle();
    expect(store.calls.read).toBe(read + 1);
    expect(namesIn(access.peek(KEY)?.cache)).toEqual(['ada', 'bob']);
  });

  it('keeps the decoded record when the store says that it has not changed', async () => {
    const record = await current();
    expect(await access.fresh(KEY)).toBe(record);
    await clock.advance(40_000);
    access.peek(KEY);
    await settle();
    const { read } = store.calls;
    await clock.advance(29_999);
    expect(access.peek(KEY)).toBe(record);
    await settle();
    expect(store.calls.read).toBe(read);
  });

  it('does not re-read a store that nobody else can change', async () => {
    const capabilities = { conditionalWrites: true, leases: true, list: true, durable: false, shared: false };
    const alone = new StoreBackend({ store, clock, own: { capabilities } });
    await alone.loadToken({ tokenKey: KEY });
    const { read } = store.calls;
    await clock.advance(299_000);
    await alone.loadToken({ tokenKey: KEY });
    await settle();
    expect(store.calls.read).toBe(read);
  });

  it('waits for a read when the record is older than maxStalenessMs', async () => {
    await current();
    await other.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await clock.advance(300_000);
    expect(access.peek(KEY)).toBeUndefined();
    expect(namesIn((await current()).cache)).toEqual(['ada', 'bob']);
  });

  it('reads in the background however long revalidateAfterMs is: maxStalenessMs is twice as much then', async () => {
    const paid = recordAccessOf(new StoreBackend({ store, clock, own: { recordCache: { revalidateAfterMs: 400_000 } } }));
    const record = await paid.current(KEY);
    const { read } = store.calls;
    await clock.advance(400_000);
    expect(paid.peek(KEY)).toBe(record);
    await settle();
    expect(store.calls.read).toBe(read + 1);
    await clock.advance(800_000);
    expect(paid.peek(KEY)).toBeUndefined();
  });

  it.each([
    ['down', down],
    ['closed to us', new BackendAccessDeniedError('no')],
  ])('serves a record that is too old while the store is %s, and says so', async (_what, error) => {
    const record = await current();
    await clock.advance(300_000);
    const restore = outage('read', error);
    expect(await access.current(KEY)).toBe(record);
    expect(events.fault).toEqual([{ operation: 'read', tokenKey: KEY, code: error.code, servedStale: true }]);
    await expect(access.fresh(KEY)).rejects.toBe(error);
    restore();
    await clock.advance(1_000);
    await other.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    expect(namesIn((await current()).cache)).toEqual(['ada', 'bob']);
  });

  it('says so once for each read, however many wait for it', async () => {
    const record = await current();
    await clock.advance(300_000);
    outage('read');
    const served = await Promise.all(Array.from({ length: 5 }, () => access.current(KEY)));
    expect(served).toEqual(Array.from({ length: 5 }, () => record));
    expect(events.fault).toEqual([{ operation: 'read', tokenKey: KEY, code: down.code, servedStale: true }]);
  });

  it.each([
    ['an outage', down],
    ['a corrupt record', new RecordCorruptError('no')],
  ])('tells of %s that a read in the background meets', async (_what, error) => {
    const record = await current();
    await clock.advance(30_000);
    outage('read', error);
    expect(access.peek(KEY)).toBe(record);
    await settle();
    expect(events.fault).toEqual([{ operation: 'read', tokenKey: KEY, code: error.code, servedStale: true }]);
    expect(access.peek(KEY)).toBe(record);
  });

  it('asks a store that is down once a second at most', async () => {
    await current();
    await clock.advance(300_000);
    outage('read');
    let reads = 0;
    const { read } = store;
    store.read = (...args) => {
      reads += 1;
      return read.apply(store, args);
    };
    for (let call = 0; call < 10; call++) await access.current(KEY);
    expect(reads).toBe(1);
    await clock.advance(1_000);
    await access.current(KEY);
    expect(reads).toBe(2);
  });

  it('throws when the store is down and nothing is in memory, and when a record is corrupt', async () => {
    const restore = outage('read');
    await expect(access.current(KEY)).rejects.toBe(down);
    restore();
    await current();
    await clock.advance(300_000);
    store.records.set(KEY, { data: Buffer.from('{'), version: 'x' });
    await expect(access.current(KEY)).rejects.toThrow(RecordCorruptError);
  });

  it('discards a read that a save of this process overtook', async () => {
    const { read } = store;
    const gate = Promise.withResolvers<void>();
    store.read = async (...args) => {
      const found = await read.apply(store, args);
      store.read = read;
      await gate.promise;
      return found;
    };
    const slow = access.fresh(KEY);
    await settle();
    await backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    gate.resolve();
    expect(namesIn((await slow)?.cache)).toEqual(['ada', 'bob']);
    expect(namesIn(access.peek(KEY)?.cache)).toEqual(['ada', 'bob']);
  });

  it('shows what others wrote after a save of this process that was slow to answer, and ended during the read', async () => {
    const { read } = store;
    const { committed, answer } = store.answerNextWriteLate();
    const saving = backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await committed;
    await other.updateToken((cache) => signIn(cache, 'eve'), { tokenKey: KEY });
    store.read = async (...args) => {
      store.read = read;
      const found = await read.apply(store, args);
      answer();
      await saving;
      return found;
    };
    expect(namesIn((await access.fresh(KEY))?.cache)).toEqual(['ada', 'bob', 'eve']);
    expect(namesIn(access.peek(KEY)?.cache)).toEqual(['ada', 'bob', 'eve']);
  });

  it('does not go back behind what it read while a save of this process was slow to answer', async () => {
    const { committed, answer } = store.answerNextWriteLate();
    const saving = backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await committed;
    await other.updateToken((cache) => void cache.removeAccount({ username: 'ada@contoso.example' }), { tokenKey: KEY });
    expect(namesIn((await access.fresh(KEY))?.cache)).toEqual(['bob']);
    answer();
    await saving;
    expect(namesIn((await access.current(KEY))?.cache)).toEqual(['bob']);
  });

  it('does not go back behind a change of which the store told while a save of this process was slow to answer', async () => {
    const telling = new TellingBackend({ store, clock });
    await telling.loadToken({ tokenKey: KEY });
    const { committed, answer } = store.answerNextWriteLate();
    const saving = telling.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await committed;
    await other.updateToken((cache) => signIn(cache, 'eve'), { tokenKey: KEY });
    for (const name of store.records.keys()) telling.changed(name);
    answer();
    await saving;
    expect(namesIn(await telling.loadToken({ tokenKey: KEY }))).toEqual(['ada', 'bob', 'eve']);
  });

  it('takes what it saved for as old as the request, however late the answer', async () => {
    const { committed, answer } = store.answerNextWriteLate();
    const saving = backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await committed;
    await other.updateToken((cache) => signIn(cache, 'eve'), { tokenKey: KEY });
    await clock.advance(400_000);
    answer();
    await saving;
    expect(namesIn((await access.current(KEY))?.cache)).toEqual(['ada', 'bob', 'eve']);
  });

  it('remembers what it saved, when a read meanwhile showed nothing else', async () => {
    await current();
    const { write } = store;
    store.write = async (...args) => {
      store.write = write;
      await access.fresh(KEY);
      const version = await write.apply(store, args);
      await access.fresh(KEY);
      return version;
    };
    await backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    expect(namesIn(access.peek(KEY)?.cache)).toEqual(['ada', 'bob']);
  });

  it('answers a read that saves of this process overtake without end', async () => {
    await current();
    const { read } = store;
    let saves = 0;
    store.read = async (...args) => {
      const found = await read.apply(store, args);
      saves += 1;
      // Saves start from what is in memory, so they read nothing themselves.
      await backend.updateToken((cache) => signIn(cache, `user${saves}`), { tokenKey: KEY });
      return found;
    };
    expect(namesIn((await access.fresh(KEY))?.cache)).toContain('ada');
    store.read = read;
    expect(namesIn((await access.fresh(KEY))?.cache)).toHaveLength(saves + 1);
  });

  it('does not bring back a record that was deleted while it was being read', async () => {
    const { read } = store;
    const gate = Promise.withResolvers<void>();
    store.read = async (...args) => {
      const found = await read.apply(store, args);
      store.read = read;
      await gate.promise;
      return found;
    };
    const slow = access.fresh(KEY);
    await settle();
    await backend.deleteToken({ tokenKey: KEY });
    gate.resolve();
    expect(await slow).toBeUndefined();
    expect(access.peek(KEY)).toBeUndefined();
  });

  it('ends the wait of one aborted caller and not that of the others', async () => {
    const { read } = store;
    const gate = Promise.withResolvers<void>();
    store.read = async (...args) => {
      await gate.promise;
      return read.apply(store, args);
    };
    const controller = new AbortController();
    const [aborted, waiting] = [access.current(KEY, { signal: controller.signal }), access.current(KEY)];
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    gate.resolve();
    expect(namesIn((await waiting)?.cache)).toEqual(['ada']);
  });

  it('holds at most maxRecords records', async () => {
    const small = new StoreBackend({ store, recordCache: { maxRecords: 2 } });
    for (const tokenKey of ['a', 'b', 'c']) await small.saveToken(signedIn('ada'), { tokenKey });
    const cached = ['a', 'b', 'c'].filter((tokenKey) => recordAccessOf(small).peek(tokenKey) !== undefined);
    expect(cached).toEqual(['b', 'c']);
  });

  it('lets a remembered place show what is stored now, and nothing once the record was dropped', async () => {
    const small = new StoreBackend({ store, recordCache: { maxRecords: 2 } });
    const view = recordAccessOf(small);
    await small.saveToken(signedIn('ada'), { tokenKey: 'a' });
    const place = view.locate('a');
    await small.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: 'a' });
    expect(namesIn(view.peek('a', place)?.cache)).toEqual(['ada', 'bob']);
    for (const tokenKey of ['b', 'c']) await small.saveToken(signedIn('ada'), { tokenKey });
    expect([view.peek('a', place), place?.record]).toEqual([undefined, undefined]);
  });

  it('keeps what is used through a remembered place, and drops what is not used', async () => {
    const small = new StoreBackend({ store, recordCache: { maxRecords: 2 } });
    const view = recordAccessOf(small);
    await small.saveToken(signedIn('ada'), { tokenKey: 'used' });
    const place = view.locate('used');
    for (const tokenKey of ['b', 'c', 'd']) {
      await small.saveToken(signedIn('ada'), { tokenKey });
      expect(view.peek('used', place)).toBeDefined();
    }
    expect([view.peek('b'), view.peek('c')]).toEqual([undefined, undefined]);
  });
});

describe('commit', () => {
  it('applies a change to what is stored, also when memory is out of date', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    await other.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    const { saved, settled } = await access.commit(KEY, change);
    await settled;
    expect(saved).toBe(true);
    const stored = await other.loadToken({ tokenKey: KEY, fresh: true });
    expect([refreshTokenOf(stored, 'ada'), namesIn(stored)]).toEqual(['rt-TEST-ada-2', ['ada', 'bob']]);
    expect(tokenIn(access.peek(KEY))).toBe('rt-TEST-ada-2');
  });

  it('costs one write when memory is up to date', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    const before = { ...store.calls };
    await access.commit(KEY, change);
    expect([store.calls.read - before.read, store.calls.write - before.write]).toEqual([0, 1]);
  });

  it('asks the store before it says that nothing had to be changed', async () => {
    const cache = (await current()).cache;
    await other.updateToken((stored) => signIn(stored, 'ada', { generation: 5 }), { tokenKey: KEY });
    await access.commit(KEY, (stored) => void stored.removeRefreshToken('rt-TEST-ada-5'));
    expect(await storedToken()).toBeUndefined();
    expect(refreshTokenOf(cache, 'ada')).toBe('rt-TEST-ada-1');
  });

  it('passes on what the change itself throws', async () => {
    const commit = access.commit(KEY, () => {
      throw new Error('mine');
    });
    await expect(commit).rejects.toThrow('mine');
    expect(access.hasPending(KEY)).toBe(false);
  });
});

describe('tokens that the store cannot take', () => {
  it('are pending, laid over every read, and saved when the store is back', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    const restore = outage('write');
    const { saved, settled } = await access.commit(KEY, change);
    expect([saved, access.hasPending(KEY)]).toEqual([false, true]);
    for (const record of [access.peek(KEY), await access.current(KEY), await access.fresh(KEY)])
      expect(tokenIn(record)).toBe('rt-TEST-ada-2');
    expect(refreshTokenOf(await backend.loadToken({ tokenKey: KEY }), 'ada')).toBe('rt-TEST-ada-2');
    expect(await storedToken()).toBe('rt-TEST-ada-1');
    await clock.advance(5_000);
    expect(access.hasPending(KEY)).toBe(true);
    expect(events.fault[0]).toEqual({ operation: 'write', tokenKey: KEY, code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    expect(events.fault).toHaveLength(events.save.length - 1);
    restore();
    await clock.advance(30_000);
    await settled;
    expect([access.hasPending(KEY), await storedToken()]).toEqual([false, 'rt-TEST-ada-2']);
    expect(events.save.map(({ outcome }) => outcome)).toEqual([
      ...Array(events.save.length - 1).fill('token-not-saved'),
      'saved',
    ]);
  });

  it('are served when the store can neither be read nor written and memory has dropped the record', async () => {
    const tiny = new StoreBackend({ store, clock, recordCache: { maxRecords: 1 } });
    const view = recordAccessOf(tiny);
    const cache = (await view.current(KEY))?.cache;
    if (!cache) throw new Error('absent');
    const restore = outage('write');
    const { settled } = await view.commit(KEY, refreshed(cache, 'ada', 2));
    await view.current('another');
    await other.records.read('another');
    const restoreReads = outage('read');
    await clock.advance(300_000);
    expect(tokenIn(await view.current(KEY))).toBe('rt-TEST-ada-2');
    restoreReads();
    restore();
    await clock.advance(60_000);
    await settled;
  });

  it('yield to a newer sign-in that another process stored meanwhile', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    const restore = outage('write');
    const { settled } = await access.commit(KEY, change);
    restore();
    await other.updateToken((cache) => signIn(cache, 'ada', { generation: 9 }), { tokenKey: KEY });
    await clock.advance(30_000);
    await settled;
    expect(await storedToken()).toBe('rt-TEST-ada-9');
  });

  it('do not bring back an account that was removed meanwhile, nor a deleted record', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    const restore = outage('write');
    await access.commit(KEY, change);
    restore();
    await other.updateToken((cache) => void cache.removeAccount({ homeAccountId: homeOf('ada') }), { tokenKey: KEY });
    await clock.advance(30_000);
    expect([access.hasPending(KEY), namesIn(await other.loadToken({ tokenKey: KEY, fresh: true }))]).toEqual([false, []]);
    const again = outage('write');
    await access.commit(KEY, (cache) => signIn(cache, 'bob'));
    again();
    await backend.deleteToken({ tokenKey: KEY });
    expect([access.hasPending(KEY), await access.fresh(KEY)]).toEqual([false, undefined]);
  });

  it('ride along with the next save', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    const restore = outage('write');
    const { settled } = await access.commit(KEY, change);
    restore();
    await backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: KEY });
    await settled;
    const stored = await other.loadToken({ tokenKey: KEY, fresh: true });
    expect([refreshTokenOf(stored, 'ada'), namesIn(stored)]).toEqual(['rt-TEST-ada-2', ['ada', 'bob']]);
  });

  it('ride along with a save that has nothing to add itself', async () => {
    const cache = await backend.loadToken({ tokenKey: KEY });
    if (!cache) throw new Error('absent');
    const restore = outage('write');
    const { settled } = await access.commit(KEY, refreshed(cache, 'ada', 2));
    restore();
    await backend.saveToken(cache, { tokenKey: KEY });
    await settled;
    expect(await storedToken()).toBe('rt-TEST-ada-2');
  });

  it('are kept whatever the error, an aborted signal included', async () => {
    const cache = (await current()).cache;
    const restore = outage('write', new Error('ECONNRESET from an SDK'));
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const results = [
      await access.commit(KEY, refreshed(cache, 'ada', 2)),
      await access.commit(KEY, (stored) => signIn(stored, 'bob'), { signal: controller.signal }),
    ];
    expect(results.map(({ saved }) => saved)).toEqual([false, false]);
    restore();
    await backend.close();
    expect(namesIn(await other.loadToken({ tokenKey: KEY, fresh: true }))).toEqual(['ada', 'bob']);
  });

  it('are waited for by close()', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    const restore = outage('write');
    const { settled } = await access.commit(KEY, change);
    const closing = backend.close();
    await clock.advance(3_000);
    restore();
    await clock.advance(2_000);
    await closing;
    await settled;
    expect([await storedToken(), backend.closed]).toEqual(['rt-TEST-ada-2', 1]);
  });

  it('make close() reject with their token keys after 30 s, and nothing stays behind', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    outage('write');
    const { settled } = await access.commit(KEY, change);
    const abandoned = settled.catch((error: unknown) => error);
    const closing = backend.close().catch((error: unknown) => error);
    await clock.advance(30_000);
    const error = await closing;
    expect(TokenNotSavedError.is(error) && error.tokenKeys).toEqual([KEY]);
    expect(await abandoned).toBe(error);
    expect([backend.closed, clock.sleeping]).toEqual([1, 0]);
  });
});

describe('a token that comes when the backend is closed', () => {
  it('is given up by name, and holds no process', async () => {
    const change = refreshed((await current()).cache, 'ada', 2);
    await backend.close();
    outage('write');
    const { saved, settled } = await access.commit(KEY, change);
    const error = await settled.catch((reason: unknown) => reason);
    expect([saved, TokenNotSavedError.is(error) && error.tokenKeys]).toEqual([false, [KEY]]);
    expect([clock.sleeping, access.hasPending(KEY)]).toEqual([0, false]);
  });
});

describe('a spent refresh token that comes back', () => {
  /** Puts what is stored now into the store again, past every comparison, as a fail-over or a backup does. */
  async function toComeBack(): Promise<() => Promise<unknown>> {
    const old = await other.records.read(KEY);
    if (!old || old === 'not-modified') throw new Error('absent');
    return () => other.records.write(KEY, old.data, { expect: 'anything' });
  }

  it('is replaced by its successor again, at once for readers and then in the store', async () => {
    const old = await other.records.read(KEY);
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    if (!old || old === 'not-modified') throw new Error('absent');
    await other.records.write(KEY, old.data, { expect: 'anything' });
    expect(tokenIn(await access.fresh(KEY))).toBe('rt-TEST-ada-2');
    expect(access.hasPending(KEY)).toBe(true);
    await clock.advance(1_000);
    expect([await storedToken(), access.hasPending(KEY)]).toEqual(['rt-TEST-ada-2', false]);
  });

  it('is replaced also where its successor was saved late, or while another save is under way', async () => {
    const old = await other.records.read(KEY);
    const restore = outage('write');
    const { settled } = await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    restore();
    await clock.advance(1_000);
    await settled;
    if (!old || old === 'not-modified') throw new Error('absent');
    await other.records.write(KEY, old.data, { expect: 'anything' });
    store.maxTurns = 3;
    const [, shown] = await Promise.all([
      access.commit(KEY, (cache) => signIn(cache, 'bob')),
      access.fresh(KEY),
      backend.updateToken((cache) => signIn(cache, 'eve'), { tokenKey: KEY }),
    ]);
    expect(tokenIn(shown)).toBe('rt-TEST-ada-2');
    await clock.advance(5_000);
    const stored = await other.loadToken({ tokenKey: KEY, fresh: true });
    expect([refreshTokenOf(stored, 'ada'), namesIn(stored), access.hasPending(KEY)]).toEqual([
      'rt-TEST-ada-2',
      ['ada', 'bob', 'eve'],
      false,
    ]);
  });

  it('is replaced by the last of several successors, none of which reached the store that serves now', async () => {
    const back = await toComeBack();
    for (const generation of [2, 3, 4]) await access.commit(KEY, refreshed((await current()).cache, 'ada', generation));
    await back();
    expect(tokenIn(await access.fresh(KEY))).toBe('rt-TEST-ada-4');
    await clock.advance(1_000);
    expect([await storedToken(), access.hasPending(KEY)]).toEqual(['rt-TEST-ada-4', false]);
  });

  it('does not keep the successor of its successor from being saved', async () => {
    const back = await toComeBack();
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    const change = refreshed((await current()).cache, 'ada', 3);
    await back();
    expect((await access.commit(KEY, change)).saved).toBe(true);
    expect([await storedToken(), tokenIn(await access.fresh(KEY))]).toEqual(['rt-TEST-ada-3', 'rt-TEST-ada-3']);
  });

  it('does not keep it from being saved late, whether somebody reads in between or not', async () => {
    for (const reads of [true, false]) {
      const before = (await storedToken()) ?? '';
      const [next, last] = reads ? [2, 3] : [4, 5];
      const back = await toComeBack();
      await access.commit(KEY, refreshed((await current()).cache, 'ada', next));
      const restore = outage('write');
      const { saved, settled } = await access.commit(KEY, refreshed((await current()).cache, 'ada', last));
      restore();
      await back();
      expect([saved, await storedToken()]).toEqual([false, before]);
      if (reads) expect(tokenIn(await access.fresh(KEY))).toBe(`rt-TEST-ada-${last}`);
      await clock.advance(1_000);
      await settled;
      expect([await storedToken(), access.hasPending(KEY)]).toEqual([`rt-TEST-ada-${last}`, false]);
    }
  });

  it('is replaced also where its successor was saved, and the answer was lost', async () => {
    const back = await toComeBack();
    const change = refreshed((await current()).cache, 'ada', 2);
    store.faults.push({ operation: 'write', error: down, commit: true });
    const restore = outage('read');
    const { saved, settled } = await access.commit(KEY, change);
    restore();
    expect([saved, await storedToken()]).toEqual([false, 'rt-TEST-ada-2']);
    await clock.advance(1_000);
    await settled;
    await back();
    expect(tokenIn(await access.fresh(KEY))).toBe('rt-TEST-ada-2');
  });

  it('is replaced also where the store could not even be read when its successor came', async () => {
    const back = await toComeBack();
    const change = refreshed((await current()).cache, 'ada', 2);
    const late = recordAccessOf(new StoreBackend({ store, clock }));
    const restore = outage('read');
    const { settled } = await late.commit(KEY, change);
    restore();
    await clock.advance(1_000);
    await settled;
    await back();
    expect(tokenIn(await late.fresh(KEY))).toBe('rt-TEST-ada-2');
  });

  it('is replaced by the last of several that were saved late together', async () => {
    const back = await toComeBack();
    const restore = outage('write');
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    const { settled } = await access.commit(KEY, refreshed((await current()).cache, 'ada', 3));
    restore();
    await clock.advance(1_000);
    await settled;
    await back();
    expect(tokenIn(await access.fresh(KEY))).toBe('rt-TEST-ada-3');
    await clock.advance(1_000);
    expect([await storedToken(), access.hasPending(KEY)]).toEqual(['rt-TEST-ada-3', false]);
  });

  it('is looked for when the store may have lost something, without anybody asking for the record', async () => {
    const back = await toComeBack();
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    await back();
    await backend.checkRecentSaves();
    await clock.advance(1_000);
    expect(await storedToken()).toBe('rt-TEST-ada-2');
    const reads = store.calls.read;
    await clock.advance(600_000);
    await backend.checkRecentSaves();
    expect(store.calls.read).toBe(reads);
  });

  it('is looked for in every record, also where another one cannot be read', async () => {
    const back = await toComeBack();
    await other.saveToken(signedIn('bob'), { tokenKey: 'broken' });
    const broken = await access.current('broken');
    if (!broken) throw new Error('absent');
    await access.commit('broken', refreshed(broken.cache, 'bob', 2));
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    await other.records.write('broken', Buffer.from('nothing'), { expect: 'anything' });
    await back();
    await backend.checkRecentSaves();
    await clock.advance(1_000);
    expect(await storedToken()).toBe('rt-TEST-ada-2');
  });

  it('is looked for again, where the store failed at it', async () => {
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    outage('read');
    await expect(backend.checkRecentSaves()).rejects.toBe(down);
  });

  it('is told of once, where the backend is closed and cannot mend it', async () => {
    const back = await toComeBack();
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    await backend.close();
    await back();
    events.save.length = 0;
    for (let read = 1; read <= 3; read++) await access.fresh(KEY);
    expect(events.save).toEqual([{ tokenKey: KEY, outcome: 'token-not-saved', attempts: 1, durationMs: 0 }]);
  });

  it('is told of no more, where closing the backend gave its successor up', async () => {
    const back = await toComeBack();
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    await back();
    outage('write');
    await access.fresh(KEY);
    const closing = backend.close().catch((error: unknown) => error);
    await clock.advance(30_000);
    expect(TokenNotSavedError.is(await closing)).toBe(true);
    events.save.length = 0;
    await access.fresh(KEY);
    expect(events.save).toEqual([]);
  });

  it('is let be after ten minutes, when a backup may have been restored on purpose', async () => {
    const old = await other.records.read(KEY);
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    if (!old || old === 'not-modified') throw new Error('absent');
    await other.records.write(KEY, old.data, { expect: 'anything' });
    await clock.advance(600_000);
    expect(tokenIn(await access.fresh(KEY))).toBe('rt-TEST-ada-1');
  });

  it('does not stop a sign-out or a later sign-in', async () => {
    await access.commit(KEY, refreshed((await current()).cache, 'ada', 2));
    await other.updateToken((cache) => signIn(cache, 'ada', { generation: 7 }), { tokenKey: KEY });
    expect(tokenIn(await access.fresh(KEY))).toBe('rt-TEST-ada-7');
    await other.updateToken((cache) => void cache.removeAccount({ homeAccountId: homeOf('ada') }), { tokenKey: KEY });
    expect(namesIn((await access.fresh(KEY))?.cache)).toEqual([]);
    expect(access.hasPending(KEY)).toBe(false);
  });
});
