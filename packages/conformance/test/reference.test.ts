import { MemoryTokenBackend } from '@tokenry/memory';
import { describe, test } from 'vitest';
import { type CreateStore, conformanceTests, describeStore } from '../src/index.js';
import { mapStore } from './shared-map.js';

const memoryStore: CreateStore = async () => ({
  open: async (options) => new MemoryTokenBackend(options),
  destroy: async () => {},
});

async function suite(name: string, createStore: CreateStore): Promise<void> {
  const store = await describeStore(createStore);
  describe(name, () => {
    for (const conformance of conformanceTests(createStore, { store, leaseTtlMs: 250 }))
      test.skipIf(conformance.skip !== undefined)(`${conformance.group}: ${conformance.name}`, () => conformance.run());
  });
}

await suite('a shared map honours the whole contract', async () => mapStore());
await suite('a memory of its own honours what it claims', memoryStore);
