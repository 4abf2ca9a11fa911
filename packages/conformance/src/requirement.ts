import type { StoreDescription } from './describe-store.js';

/** What a store must claim or offer before a test can examine it. */
export interface Requirement {
  /** Why a test is skipped where this is not met. */
  readonly reason: string;
  met(store: StoreDescription): boolean;
}

/** Allocating more than this to test a limit would test the machine. */
const LARGEST_LIMIT_TESTED = 32 * 1024 * 1024;

export const sharing: Requirement = {
  reason: 'the store does not claim `shared`',
  met: ({ capabilities }) => capabilities.shared,
};
export const durability: Requirement = {
  reason: 'the store does not claim `durable` and `shared`',
  met: ({ capabilities }) => capabilities.durable && capabilities.shared,
};
export const listing: Requirement = {
  reason: 'the store does not claim `list`',
  met: ({ capabilities }) => capabilities.list,
};
export const noListing: Requirement = {
  reason: 'the store claims `list`',
  met: ({ capabilities }) => !capabilities.list,
};
export const sizeLimit: Requirement = {
  reason: 'the store claims no `maxRecordBytes` that fits into memory',
  met: ({ capabilities }) => (capabilities.maxRecordBytes ?? Number.POSITIVE_INFINITY) <= LARGEST_LIMIT_TESTED,
};
/** @param plainBytes of the record; an encrypted one is a third larger. */
export const roomFor = (plainBytes: number): Requirement => ({
  reason: `the store claims a \`maxRecordBytes\` too small for ${plainBytes} bytes`,
  met: ({ capabilities }) => (capabilities.maxRecordBytes ?? Number.POSITIVE_INFINITY) >= plainBytes * 1.4,
});
export const unreachability: Requirement = {
  reason: 'the TestStore gives no `faults.unreachable`',
  met: ({ faults }) => faults.includes('unreachable'),
};
export const denial: Requirement = {
  reason: 'the TestStore gives no `faults.denied`',
  met: ({ faults }) => faults.includes('denied'),
};
