import { type ConformanceOptions, type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, JweCryptographyManager } from '@tokenry/core/backend';
import { describe, test } from 'vitest';

const cryptographyManager = new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(7) }, activeKid: 'k1' });

/** How every backend is examined; `extra` is what it is opened with, beneath what the kit wants. */
export const waysOfUse = {
  plain: {},
  encrypted: { cryptographyManager },
  'under a key prefix': { keyPrefix: 'Team A/' },
} as const satisfies Readonly<Record<string, BaseTokenBackendOptions>>;

/** `extra` and what the kit wants, which wins; of two key prefixes the one is put behind the other. */
export function combined(extra: BaseTokenBackendOptions, wanted: BaseTokenBackendOptions): BaseTokenBackendOptions {
  const keyPrefix = (extra.keyPrefix ?? '') + (wanted.keyPrefix ?? '');
  return { ...extra, ...wanted, ...(keyPrefix === '' ? {} : { keyPrefix }) };
}

/** Adds the tests of the kit; the runner shows why one is skipped. */
export async function addConformanceTests(name: string, createStore: CreateStore, options: ConformanceOptions = {}) {
  const store = await describeStore(createStore);
  describe(`conformance, ${name}`, () => {
    for (const { group, name: sentence, skip, run } of conformanceTests(createStore, { store, ...options }))
      test(`${group}: ${sentence}`, (context) => (skip === undefined ? run() : context.skip(skip)));
  });
}

/** Adds the tests of the kit for every way of use. */
export async function addConformanceTestsOf(storesWith: (extra: BaseTokenBackendOptions) => CreateStore): Promise<void> {
  for (const [name, extra] of Object.entries(waysOfUse)) await addConformanceTests(name, storesWith(extra));
}
