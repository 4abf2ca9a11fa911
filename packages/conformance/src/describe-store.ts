import type { BackendCapabilities } from '@tokenry/core/backend';
import { bytes } from './bytes.js';
import type { CreateStore } from './test-store.js';

/** What a store claims, and what the test author gave the kit to examine it with. */
export interface StoreDescription {
  readonly capabilities: BackendCapabilities;
  readonly canReadRaw: boolean;
  readonly faults: readonly ('unreachable' | 'denied' | 'corrupt')[];
}

/**
 * What the stores of `createStore` claim, asked of one instance on one store, which is destroyed again. Pass it to
 * `conformanceTests`, and tests of what is not claimed carry a `skip` reason that your test runner shows.
 *
 * @example
 * const store = await describeStore(createStore);
 * for (const { group, name, skip, run } of conformanceTests(createStore, { store })) test(`${group}: ${name}`, { skip }, run);
 */
export async function describeStore(createStore: CreateStore): Promise<StoreDescription> {
  const store = await createStore();
  try {
    const backend = await store.open({});
    try {
      // Capabilities are "as proven so far": a store that is probed by its first write has been probed after this one.
      await backend.records.write('conformance-probe', bytes('{}'), { expect: 'anything' });
      await backend.records.remove('conformance-probe', { expect: 'anything' });
      const { unreachable, denied, corrupt } = store.faults ?? {};
      return {
        capabilities: { ...backend.capabilities },
        canReadRaw: store.readRaw !== undefined,
        faults: Object.entries({ unreachable, denied, corrupt }).flatMap(([name, fault]) => (fault ? [name as 'corrupt'] : [])),
      };
    } finally {
      await backend.close();
    }
  } finally {
    await store.destroy();
  }
}
