import type {
  BackendCapabilities,
  BaseTokenBackendOptions,
  ReadOptions,
  RemoveOptions,
  StoredRecord,
  WriteOptions,
} from '@tokenry/core/backend';
import { MemoryTokenBackend } from '@tokenry/memory';
import { describe, test } from 'vitest';
import { type CreateStore, conformanceTests, describeStore } from '../src/index.js';
import { keyRing } from '../src/switchable-cryptography.js';
import { mapStore, type SharedMap, SharedMapBackend } from './shared-map.js';

/** A store as simple as they come: it compares nothing, counts no versions, and has no leases. */
class PlainMapBackend extends SharedMapBackend {
  constructor(map: SharedMap, options: BaseTokenBackendOptions) {
    const claims: Partial<BackendCapabilities> = { conditionalWrites: false, leases: false, durable: false };
    super(map, options, claims);
  }

  protected override async readRecord(name: string, { signal }: ReadOptions): Promise<StoredRecord | undefined> {
    await this.map.arrive(signal);
    const record = this.map.records.get(name);
    return record && { data: record.data.slice() };
  }

  protected override async writeRecord(name: string, data: Uint8Array, { signal }: WriteOptions): Promise<void> {
    await this.map.arrive(signal);
    this.map.put(name, data);
  }

  protected override async removeRecord(name: string, { signal }: RemoveOptions): Promise<boolean> {
    await this.map.arrive(signal);
    return this.map.records.delete(name);
  }
}

const stores: Readonly<Record<string, CreateStore>> = {
  'a shared map': async () => mapStore(),
  'a shared map whose records are encrypted': async () =>
    mapStore((map, options) => new SharedMapBackend(map, { cryptographyManager: keyRing('default'), ...options })),
  'a shared map under a key prefix': async () =>
    mapStore((map, options) => new SharedMapBackend(map, { keyPrefix: 'team-', ...options }), 'team-'),
  'a shared map that compares nothing and has no leases': async () =>
    mapStore((map, options) => new PlainMapBackend(map, options)),
  'a memory of its own': async () => ({
    open: async (options) => new MemoryTokenBackend(options),
    destroy: async () => {},
  }),
};

for (const [name, createStore] of Object.entries(stores)) {
  const store = await describeStore(createStore);
  describe(`${name} honours what it claims`, () => {
    for (const { group, name, skip, run } of conformanceTests(createStore, { store, leaseTtlMs: 250 }))
      test(`${group}: ${name}`, ({ skip: skipped }) => (skip === undefined ? run() : skipped(skip)));
  });
}
