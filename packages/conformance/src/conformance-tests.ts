import { describeStore, type StoreDescription } from './describe-store.js';
import type { Case, Group } from './group.js';
import { cancellation } from './groups/cancellation.js';
import { concurrency } from './groups/concurrency.js';
import { encryption } from './groups/encryption.js';
import { errors } from './groups/errors.js';
import { leases } from './groups/leases.js';
import { lifecycle } from './groups/lifecycle.js';
import { listing } from './groups/listing.js';
import { records } from './groups/records.js';
import { removal } from './groups/removal.js';
import { sizes } from './groups/sizes.js';
import { tokenKeys } from './groups/token-keys.js';
import { Scene } from './scene.js';
import type { CreateStore } from './test-store.js';

const groups: readonly Group[] = [
  records,
  concurrency,
  removal,
  listing,
  tokenKeys,
  sizes,
  leases,
  errors,
  encryption,
  lifecycle,
  cancellation,
];

/** One test, for any test runner. */
export interface ConformanceTest {
  readonly group: string;
  /** A sentence about the contract; together with `group` it is unique. */
  readonly name: string;
  /** Why this store cannot be examined for this. Known beforehand only where `options.store` was given. */
  readonly skip?: string;
  /** Makes a store, examines it, closes every instance and destroys the store. Rejects when the contract is broken. */
  readonly run: () => Promise<void>;
}

/** A test that proved nothing, and why. */
export interface SkippedTest {
  readonly group: string;
  readonly name: string;
  readonly reason: string;
}

export interface ConformanceOptions {
  /** What `describeStore` found: sets `skip`, so that the test runner shows what was not examined. */
  readonly store?: StoreDescription;
  /**
   * Hears of each test that found on running that the store does not claim what it examines.
   * @default one process warning each (`ConformanceSkip`)
   */
  readonly onSkip?: (skipped: SkippedTest) => void;
  /**
   * Time to live of the leases in the tests, in milliseconds; more for a store whose answers take longer than a fifth of it.
   * @default 500
   */
  readonly leaseTtlMs?: number;
}

/**
 * The backend contract as tests: each tries to disprove something that the backend claims or that every backend promises.
 * Hand them to the test runner of your choice; each run makes and destroys a store of its own, so they may run in parallel.
 *
 * @example
 * for (const { group, name, skip, run } of conformanceTests(createStore, { store: await describeStore(createStore) }))
 *   test(`${group}: ${name}`, { skip: skip ?? false }, run);
 */
export function* conformanceTests(createStore: CreateStore, options: ConformanceOptions = {}): Generator<ConformanceTest, void> {
  const describe = remembered(options.store, () => describeStore(createStore));
  for (const { name: group, cases } of groups)
    for (const test of cases) {
      const skip = options.store && reasonToSkip(test, options.store);
      const run = async () => {
        const store = await describe();
        const reason = reasonToSkip(test, store);
        if (reason !== undefined) return (options.onSkip ?? warn)({ group, name: test.name, reason });
        await play(test, new Scene(await createStore(), store, options.leaseTtlMs ?? 500));
      };
      yield { group, name: test.name, ...(skip === undefined ? {} : { skip }), run };
    }
}

function reasonToSkip(test: Case, store: StoreDescription): string | undefined {
  return test.needs.find((requirement) => !requirement.met(store))?.reason;
}

async function play(test: Case, scene: Scene): Promise<void> {
  try {
    await test.body(scene);
  } catch (error) {
    // What broke the contract matters more than what then went wrong in cleaning up.
    await scene.dispose().catch(() => undefined);
    throw error;
  }
  await scene.dispose();
}

/** One description serves all tests; a failed attempt is not remembered. */
function remembered(known: StoreDescription | undefined, ask: () => Promise<StoreDescription>): () => Promise<StoreDescription> {
  let answer = known && Promise.resolve(known);
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}

function warn({ group, name, reason }: SkippedTest): void {
  process.emitWarning(`not examined: "${group}: ${name}": ${reason}`, 'ConformanceSkip');
}
