import { expect, test } from 'vitest';
import { defaultWindows, drawFor, isAdoptable, scheduleOf } from '../../src/refresh/policy.js';

const NOW = 1_700_000_000_000;
const token = (lifeMs: number, more: { readonly refreshAt?: number } = {}) => ({
  secret: 'at-TEST-1',
  cachedAt: NOW,
  expiresAt: NOW + lifeMs,
  scopes: [],
  homeAccountId: null,
  tenantId: 'tenant-1',
  ...more,
});
const MINUTE = 60_000;

test('an hour-long token leaves its soft window 4 to 6 minutes before it ends, and its hard one a minute before', () => {
  const at = (random: number) => scheduleOf(token(60 * MINUTE), defaultWindows, random);
  expect(at(0)).toEqual({ softAt: NOW + 56 * MINUTE, hardAt: NOW + 59 * MINUTE, expiresAt: NOW + 60 * MINUTE });
  expect(at(0.5).softAt).toBe(NOW + 55 * MINUTE);
  expect(at(1).softAt).toBeCloseTo(NOW + 54 * MINUTE, 0);
});

test('a short-lived token stays out of its windows for at least 40 % of its life', () => {
  for (const random of [0, 0.5, 0.999]) {
    const { softAt, hardAt, expiresAt } = scheduleOf(token(4_000), defaultWindows, random);
    expect(softAt - NOW).toBeGreaterThanOrEqual(1_600);
    expect(softAt).toBeLessThanOrEqual(hardAt);
    expect(hardAt).toBe(expiresAt - 1_000);
  }
});

test('refresh_in of the server comes first where it is earlier', () => {
  const refreshAt = NOW + 10 * MINUTE;
  expect(scheduleOf(token(60 * MINUTE, { refreshAt }), defaultWindows, 0.5).softAt).toBe(refreshAt);
  const late = NOW + 59 * MINUTE;
  expect(scheduleOf(token(60 * MINUTE, { refreshAt: late }), defaultWindows, 0.5).softAt).toBe(NOW + 55 * MINUTE);
});

test('a token whose life is unknown, or over, is due at once', () => {
  const over = scheduleOf(token(-1_000), defaultWindows, 0.5);
  expect(over.softAt).toBeLessThanOrEqual(NOW);
  expect(over.hardAt).toBeLessThanOrEqual(NOW);
});

test('the draw is the same for the same token, and spread evenly over tokens', () => {
  expect(drawFor('at-TEST-abc')).toBe(drawFor('at-TEST-abc'));
  const draws = Array.from({ length: 10_000 }, (_, index) => drawFor(`at-TEST-${index}`));
  const tenths = Array.from({ length: 10 }, (_, tenth) => draws.filter((draw) => Math.floor(draw * 10) === tenth).length);
  for (const count of tenths) expect(count).toBeGreaterThan(800);
  expect(Math.max(...draws)).toBeLessThan(1);
});

test('a token is adopted with more than the soft window left, or half its life where that is shorter', () => {
  const hour = token(60 * MINUTE);
  expect(isAdoptable(hour, defaultWindows, NOW + 55 * MINUTE - 1)).toBe(true);
  expect(isAdoptable(hour, defaultWindows, NOW + 55 * MINUTE)).toBe(false);
  const short = token(4_000);
  expect(isAdoptable(short, defaultWindows, NOW + 1_999)).toBe(true);
  expect(isAdoptable(short, defaultWindows, NOW + 2_000)).toBe(false);
});
