import { describe, expect, it } from 'vitest';
import { crc16, distributionOf, homeAccountId } from './scale/key-distribution.js';
import { simulateSchedule } from './scale/schedule.js';

const MINUTE_MS = 60_000;

describe('many accounts', () => {
  it('that signed in together drift apart, and no caller waits for a refresh', () => {
    const accounts = 20_000;
    const lifetimeMs = [60 * MINUTE_MS, 90 * MINUTE_MS] as const;
    const found = simulateSchedule({ accounts, hours: 6, signedInWithinMs: MINUTE_MS, lifetimeMs });
    const even = accounts / (70 * 60);
    expect(found.late).toBe(0);
    expect(found.peakPerHour[0]).toBeGreaterThan(even * 2);
    expect(found.mean).toBeGreaterThan(even * 0.9);
    expect(found.mean).toBeLessThan(even * 1.1);
    // Within six hours the waves have flattened: the rest is chance.
    expect(found.peakPerHour[5]).toBeLessThan(even + 6 * Math.sqrt(even) + even);
  });

  it('with one lifetime for all stay together much longer: the jitter alone spreads them', () => {
    const lifetimeMs = [60 * MINUTE_MS, 60 * MINUTE_MS] as const;
    const found = simulateSchedule({ accounts: 20_000, hours: 6, signedInWithinMs: MINUTE_MS, lifetimeMs });
    const [, second = 0, , , , sixth = 0] = found.peakPerHour;
    expect(found.late).toBe(0);
    expect(sixth).toBeLessThan(second);
    expect(sixth).toBeGreaterThan((20_000 / (55 * 60)) * 2);
  });

  it('spread evenly over slots and ranges of names by home account id, and not by growing numbers', () => {
    expect(crc16('123456789')).toBe(0x31c3); // the check value of the cluster specification
    const ids = distributionOf(50_000, homeAccountId);
    const numbers = distributionOf(50_000, (account) => `user-${String(account).padStart(8, '0')}`);
    expect(ids.fullestRange).toBeLessThan(0.01);
    expect(ids.newestInOneRange).toBeLessThan(0.1);
    expect(numbers.fullestRange).toBe(1);
    expect(numbers.newestInOneRange).toBe(1);
  });
});
