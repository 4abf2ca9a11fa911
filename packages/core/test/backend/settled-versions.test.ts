import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CachedRecord, RecordCache, recordCacheOptions } from '../../src/backend/record-cache.js';
import { SettledVersions } from '../../src/backend/settled-versions.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function entry(): CachedRecord & { readonly asked: () => number } {
  let asked = 0;
  const record = {
    get version() {
      asked += 1;
      return 'v';
    },
  } as unknown as CachedRecord['record'];
  return { record, memo: undefined, era: 0, readAt: 0, nextCheckAt: 0, excusedUntil: 0, asked: () => asked };
}

describe('versions of records in memory', () => {
  it('are worked out a second after the record was read, once', () => {
    const versions = new SettledVersions();
    const read = entry();
    versions.settleSoon(read);
    vi.advanceTimersByTime(999);
    expect(read.asked()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(read.asked()).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(read.asked()).toBe(1);
    versions.settleSoon(read);
    vi.advanceTimersByTime(1_000);
    expect(read.asked()).toBe(2);
  });

  it('are worked out a few at a time', () => {
    const versions = new SettledVersions();
    const many = Array.from({ length: 250 }, entry);
    for (const one of many) versions.settleSoon(one);
    const known = () => many.filter((one) => one.asked() === 1).length;
    vi.advanceTimersByTime(1_000);
    expect(known()).toBe(100);
    vi.advanceTimersByTime(20);
    expect(known()).toBe(250);
  });

  it('are not worked out for a record that was dropped meanwhile', () => {
    const versions = new SettledVersions();
    const dropped = entry();
    versions.settleSoon(dropped);
    versions.forget(dropped);
    vi.advanceTimersByTime(1_000);
    expect(dropped.asked()).toBe(0);
  });

  it('are worked out for every record that the cache keeps, also for one that took the place of another', () => {
    const cache = new RecordCache(recordCacheOptions(undefined, {}), { now: () => 0, monotonic: () => performance.now() });
    const [first, second] = [entry(), entry()];
    // Two reads under way at once: neither knew a version with which the store could have been asked.
    const tickets = [cache.begin('user'), cache.begin('user')] as const;
    cache.endRead(tickets[0], first.record);
    vi.advanceTimersByTime(1_000);
    cache.endRead(tickets[1], second.record);
    vi.advanceTimersByTime(1_000);
    expect([first, second].map((one) => one.asked())).toEqual([1, 1]);
    expect(cache.get('user')?.record).toBe(second.record);
  });
});
