import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CachedRecord } from '../../src/backend/record-cache.js';
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
});
