import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName, JweCryptographyManager } from '@tokenry/core/backend';
import { MemoryTokenBackend } from '@tokenry/memory';
import { describe, test } from 'vitest';

/** Lets the kit see, and damage, what is really kept. */
class OpenedMemory extends MemoryTokenBackend {
  async raw(name: string): Promise<Uint8Array | undefined> {
    return (await this.readRecord(name))?.data;
  }
  async damage(name: string): Promise<void> {
    await this.writeRecord(name, Buffer.from('{"AccessToken": {"half'));
  }
}

function storesWith(extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    const opened: OpenedMemory[] = [];
    const nameOf = (key: string) => encodeName((extra.keyPrefix ?? '') + key);
    return {
      open: async (options) => {
        const keyPrefix = (extra.keyPrefix ?? '') + (options.keyPrefix ?? '');
        const backend = new OpenedMemory({ ...extra, ...options, keyPrefix });
        opened.push(backend);
        return backend;
      },
      readRaw: async (key) => opened.at(-1)?.raw(nameOf(key)),
      faults: { corrupt: async (key) => opened.at(-1)?.damage(nameOf(key)) },
      destroy: async () => {},
    };
  };
}

const stores: Readonly<Record<string, BaseTokenBackendOptions>> = {
  plain: {},
  encrypted: { cryptographyManager: new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(7) }, activeKid: 'k1' }) },
  'under a key prefix': { keyPrefix: 'Team A/' },
};

for (const [name, extra] of Object.entries(stores)) {
  const createStore = storesWith(extra);
  const store = await describeStore(createStore);
  describe(`conformance, ${name}`, () => {
    for (const { group, name: sentence, skip, run } of conformanceTests(createStore, { store }))
      test(`${group}: ${sentence}`, { skip: skip !== undefined }, run);
  });
}
