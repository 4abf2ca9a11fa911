import { describe, expect, it } from 'vitest';
import { contentVersion, RawRecords } from '../../src/backend/raw-records.js';
import type { BackendCapabilities } from '../../src/backend/token-backend.js';
import {
  BackendAccessDeniedError,
  BackendUnavailableError,
  RecordTooLargeError,
  TimeoutError,
  VersionConflictError,
} from '../../src/errors.js';
import { AsyncStore } from './support/async-store.js';

const bytes = (text: string) => Buffer.from(text);
const all: BackendCapabilities = { conditionalWrites: true, leases: true, list: false, durable: false, shared: true };

function open(store: ConstructorParameters<typeof RawRecords>[0]['hooks'] = new AsyncStore(), capabilities = all) {
  return new RawRecords({ hooks: store, capabilities: () => capabilities, exclusively: (_name, task) => task() });
}

describe('raw records', () => {
  it('hash the content where the store has no versions', async () => {
    const raw = open({ read: async () => ({ data: bytes('a') }), write: async () => {}, remove: async () => true });
    const version = contentVersion(bytes('a'));
    expect(await raw.read('r')).toMatchObject({ data: bytes('a'), version });
    expect(await raw.read('r', { ifNotVersion: version })).toBe('not-modified');
    expect(await raw.write('r', bytes('a'), { expect: 'anything' })).toBe(version);
  });

  it('ask for a version that takes work only when something is compared, and once', async () => {
    let asked = 0;
    const record = {
      data: bytes('a'),
      get version() {
        return `v${++asked}`;
      },
    };
    const raw = open({ read: async () => record, write: async () => {}, remove: async () => true });
    const found = await raw.read('r');
    expect(asked).toBe(0);
    expect(found).toMatchObject({ data: bytes('a'), version: 'v1' });
    expect(found).toMatchObject({ version: 'v1' });
    expect(await raw.read('r', { ifNotVersion: 'v2' })).toBe('not-modified');
    expect(asked).toBe(2);
  });

  it('refuse a hook that answers with anything but bytes', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: what a JavaScript author may return
    const raw = open({ read: async () => ({ data: 'text' }) as any, write: async () => {}, remove: async () => true });
    await expect(raw.read('r')).rejects.toThrow(TypeError);
  });

  it('refuse a record that is too large before anything is sent', async () => {
    const store = new AsyncStore();
    const raw = open(store, { ...all, maxRecordBytes: 4 });
    const error = await raw.write('r', bytes('12345'), { expect: 'anything' }).catch((thrown: unknown) => thrown);
    expect(RecordTooLargeError.is(error) && [error.bytes, error.maxRecordBytes]).toEqual([5, 4]);
    expect(store.calls.write).toBe(0);
  });

  it.each([
    ['unavailable', new BackendUnavailableError('reset')],
    ['timed out', new TimeoutError('slow', { timeoutMs: 1 })],
  ])('find their own bytes after a write whose answer was lost (%s)', async (_what, error) => {
    const store = new AsyncStore();
    store.faults.push({ operation: 'write', error, commit: true });
    expect(await open(store).write('r', bytes('mine'), { expect: 'absent' })).toBe('v1');
  });

  it('report the outage when somebody else’s bytes are there, or nothing', async () => {
    const store = new AsyncStore();
    const raw = open(store);
    store.faults.push({ operation: 'write', error: new BackendUnavailableError('reset') });
    await expect(raw.write('r', bytes('mine'), { expect: 'absent' })).rejects.toThrow('reset');
    await raw.write('r', bytes('theirs'), { expect: 'absent' });
    store.faults.push({ operation: 'write', error: new BackendUnavailableError('reset') });
    await expect(raw.write('r', bytes('mine'), { expect: 'anything' })).rejects.toThrow('reset');
  });

  it('do not read again after an error that says that nothing was written', async () => {
    const store = new AsyncStore();
    store.faults.push({ operation: 'write', error: new BackendAccessDeniedError('no') });
    await expect(open(store).write('r', bytes('mine'), { expect: 'absent' })).rejects.toThrow('no');
    expect(store.calls.read).toBe(0);
  });

  it('count a removal whose answer was lost as done when the record is gone', async () => {
    const store = new AsyncStore();
    const raw = open(store);
    await raw.write('r', bytes('a'), { expect: 'absent' });
    store.faults.push({ operation: 'remove', error: new BackendUnavailableError('reset'), commit: true });
    expect(await raw.remove('r', { expect: 'anything' })).toBe(true);
    await raw.write('r', bytes('a'), { expect: 'absent' });
    store.faults.push({ operation: 'remove', error: new BackendUnavailableError('reset') });
    await expect(raw.remove('r', { expect: 'anything' })).rejects.toThrow('reset');
  });

  it('compare in place of a store that cannot, one write at a time', async () => {
    const kept = new Map<string, Uint8Array>();
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const raw = open(
      {
        read: async (name) => {
          await turn();
          const data = kept.get(name);
          return data && { data };
        },
        write: async (name, data) => {
          await turn();
          kept.set(name, data);
        },
        remove: async (name) => kept.delete(name),
      },
      { ...all, conditionalWrites: false, shared: false },
    );
    const racers = Array.from({ length: 8 }, (_, index) => raw.write('r', bytes(`${index}`), { expect: 'absent' }));
    const results = await Promise.allSettled(racers);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', ...Array(7).fill('rejected')]);
    expect(VersionConflictError.is((results[1] as PromiseRejectedResult).reason)).toBe(true);
    await expect(raw.remove('r', { expect: { version: 'old' } })).rejects.toThrow(VersionConflictError);
    expect(await raw.remove('r', { expect: { version: contentVersion(bytes('0')) } })).toBe(true);
  });

  it('call the removal of what is absent no conflict, also where the store compares nothing itself', async () => {
    const raw = open(new AsyncStore(), { ...all, conditionalWrites: false });
    expect(await raw.remove('r', { expect: { version: 'v1' } })).toBe(false);
    await expect(raw.write('r', bytes('mine'), { expect: { version: 'v1' } })).rejects.toThrow(VersionConflictError);
  });
});
