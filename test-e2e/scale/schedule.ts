import { defaultWindows, drawFor, scheduleOf } from '../../packages/core/src/refresh/policy.ts';

export interface ScheduleSettings {
  readonly accounts: number;
  readonly hours: number;
  /** All accounts sign in evenly within this time. */
  readonly signedInWithinMs: number;
  /** Lifetimes that the authority draws from, evenly. */
  readonly lifetimeMs: readonly [shortest: number, longest: number];
}

export interface ScheduleFound {
  /** Refreshes per second in the busiest second of each hour. */
  readonly peakPerHour: readonly number[];
  /** Refreshes per second over the last hour. */
  readonly mean: number;
  readonly refreshes: number;
  /** Refreshes that fell behind the hard window, when callers wait. */
  readonly late: number;
}

const HOUR_MS = 3_600_000;

/** Plays accounts that are asked for a token all the time, and counts their refreshes second by second. */
export function simulateSchedule({ accounts, hours, signedInWithinMs, lifetimeMs }: ScheduleSettings): ScheduleFound {
  const endAt = hours * HOUR_MS;
  const perSecond = new Uint32Array(hours * 3_600);
  const [shortest, longest] = lifetimeMs;
  let refreshes = 0;
  let late = 0;
  for (let account = 0; account < accounts; account++) {
    let cachedAt = (signedInWithinMs * account) / accounts;
    for (let generation = 0; ; generation++) {
      // What is left of a real token: the policy looks at its last characters, which are those of a signature.
      const secret = `at-TEST-${account}-${generation}`;
      const life = shortest + (longest - shortest) * fraction(account, generation);
      const expiresAt = cachedAt + life;
      const stored = { secret, expiresAt, cachedAt, scopes: [], homeAccountId: null, tenantId: '' };
      const { softAt, hardAt } = scheduleOf(stored, defaultWindows, drawFor(secret));
      if (softAt >= endAt) break;
      const second = Math.floor(softAt / 1_000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
      refreshes += 1;
      if (softAt >= hardAt) late += 1;
      cachedAt = softAt;
    }
  }
  const peakPerHour = Array.from({ length: hours }, (_, hour) =>
    perSecond.subarray(hour * 3_600, (hour + 1) * 3_600).reduce((most, count) => Math.max(most, count), 0),
  );
  const last = perSecond.subarray((hours - 1) * 3_600).reduce((sum, count) => sum + count, 0);
  return { peakPerHour, mean: last / 3_600, refreshes, late };
}

/** A number in [0, 1) for the authority's choice of a lifetime; independent of the policy's draw. */
function fraction(account: number, generation: number): number {
  let mixed = Math.imul(account ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(generation + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
