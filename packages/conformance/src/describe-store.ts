import type { BackendCapabilities } from '@tokenry/core/backend';
import { bytes } from './bytes.js';
import type { CreateStore } from './test-store.js';

const FAULTS = ['unreachable', 'denied', 'corrupt'] as const;

/** What a store claims, and what the test author gave the kit to examine it with. */
export interface StoreDescription {
  readonly capabilities: BackendCapabilities;
  readonly canReadRaw: boolean;
  readonly faults: readonly (typeof FAULTS)[number][];
}

/**
 * What the stores of `createStore` claim, asked of one instance on one store, which is destroyed again. Pass it to
 * `conformanceTests`, and tests of what is not claimed carry a `skip` reason that your test runner shows.
 *
 * @example
 * const store = await describeStore(createStore);
 * for (const { group, name, skip, run } of conformanceTests(createStore, { store })) test(`${group}: ${name}`, { skip: skip ?? false }, run);
 */
export async function describeStore(createStore: CreateStore): Promise<StoreDescription> {
  const store = await createStore();
  try {
    const backend = await store.open({});
    try {
      // Capabilities are "as proven so far": a store that is probed by its first write has been probed after this one.
      await backend.records.write('conformance-probe', bytes('{}'), { expect: 'anything' });
      await backend.records.remove('conformance-probe', { expect: 'anything' });
      return {
        capabilities: claimsOf(backend.capabilities),
        canReadRaw: store.readRaw !== undefined,
        faults: FAULTS.filter((fault) => store.faults?.[fault] !== undefined),
      };
    } finally {
      await backend.close();
    }
  } finally {
    await store.destroy();
  }
}

/** The claims as they are now; a backend that probes its store may answer with getters. */
function claimsOf({
  conditionalWrites,
  leases,
  list,
  durable,
  shared,
  maxRecordBytes,
}: BackendCapabilities): BackendCapabilities {
  const claims = { conditionalWrites, leases, list, durable, shared };
  return maxRecordBytes === undefined ? claims : { ...claims, maxRecordBytes };
}
