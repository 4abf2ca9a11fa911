import { type CreateStore, conformanceTests, describeStore } from '../src/index.js';

/** Runs the whole kit on `createStore` at once and resolves to the tests that failed, as `group: name`, with their messages. */
export async function failuresOf(createStore: CreateStore): Promise<ReadonlyMap<string, string>> {
  const tests = [...conformanceTests(createStore, { store: await describeStore(createStore), leaseTtlMs: 200 })];
  const outcomes = await Promise.allSettled(tests.map(async (test) => (test.skip === undefined ? test.run() : undefined)));
  const failures = new Map<string, string>();
  for (const [i, outcome] of outcomes.entries())
    if (outcome.status === 'rejected') failures.set(`${tests[i]?.group}: ${tests[i]?.name}`, String(outcome.reason));
  return failures;
}
