import { expect, test } from 'vitest';
import type { ReadOptions, RemoveOptions, WriteOptions } from '../../src/backend/token-backend.js';
import { AsyncStore } from './support/async-store.js';
import { collect } from './support/collect.js';
import { StoreBackend } from './support/store-backend.js';

/** Its encoded form is too long for a record name: the name holds a hash, and the side record `=key-<hash>` the key. */
const KEY = 'Ä'.repeat(100);
const bytes = Buffer.from('{}');

/** Does something in between, once, just before the store hears of a certain request. */
class Interrupted extends AsyncStore {
  before: { readonly request: string; readonly work: () => Promise<unknown> } | undefined;

  override async read(name: string, options: ReadOptions = {}) {
    await this.#meet(`read ${kindOf(name)}`);
    return super.read(name, options);
  }
  override async write(name: string, data: Uint8Array, options: WriteOptions) {
    await this.#meet(`write ${kindOf(name)}`);
    return super.write(name, data, options);
  }
  override async remove(name: string, options: RemoveOptions) {
    await this.#meet(`remove ${kindOf(name)}`);
    return super.remove(name, options);
  }
  async #meet(request: string): Promise<void> {
    const { before } = this;
    if (before?.request !== request) return;
    this.before = undefined;
    await before.work();
  }
}

const kindOf = (name: string) => (name.startsWith('=key-') ? 'side record' : 'record');

test.each(['remove side record', 'read record'])(
  'a record that is made again while it is being removed is listed (before: %s)',
  async (request) => {
    const store = new Interrupted();
    const [remover, maker] = [new StoreBackend({ store }), new StoreBackend({ store })];
    await remover.records.write(KEY, bytes, { expect: 'absent' });
    store.before = { request, work: () => maker.records.write(KEY, bytes, { expect: 'absent' }) };
    expect(await remover.records.remove(KEY, { expect: 'anything' })).toBe(true);
    expect(store.before).toBeUndefined();
    expect(await collect(maker.listKeys())).toEqual([KEY]);
  },
);

test.each(['write record', 'read side record'])(
  'a record that is removed while it is being made again is listed (before: %s)',
  async (request) => {
    const store = new Interrupted();
    const [remover, maker] = [new StoreBackend({ store }), new StoreBackend({ store })];
    await maker.records.write(KEY, bytes, { expect: 'absent' });
    store.before = { request, work: () => remover.records.remove(KEY, { expect: 'anything' }) };
    await maker.records.write(KEY, bytes, { expect: 'anything' });
    expect(store.before).toBeUndefined();
    const stored = [...store.records.keys()].some((name) => kindOf(name) === 'record');
    expect(await collect(maker.listKeys())).toEqual(stored ? [KEY] : []);
  },
);

test('many who make and remove one record at once leave it such that a listing names it', async () => {
  for (let round = 0; round < 100; round++) {
    const store = new AsyncStore();
    store.maxTurns = 5;
    const backends = Array.from({ length: 3 }, () => new StoreBackend({ store }));
    await Promise.all(
      backends.flatMap((backend) => [
        backend.records.write(KEY, bytes, { expect: 'anything' }),
        backend.records.remove(KEY, { expect: 'anything' }),
        backend.records.write(KEY, bytes, { expect: 'absent' }).catch(() => undefined),
      ]),
    );
    const stored = [...store.records.keys()].some((name) => kindOf(name) === 'record');
    expect(await collect(new StoreBackend({ store }).listKeys())).toEqual(stored ? [KEY] : []);
  }
});

test('a record is saved although its side record cannot be looked for afterwards', async () => {
  const store = new Interrupted();
  const backend = new StoreBackend({ store });
  store.before = { request: 'read side record', work: () => Promise.reject(new Error('gone')) };
  await backend.records.write(KEY, bytes, { expect: 'absent' });
  expect(await collect(backend.listKeys())).toEqual([KEY]);
});
