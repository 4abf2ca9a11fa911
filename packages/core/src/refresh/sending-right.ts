import type { LeaseTiming } from '../backend/lease.js';
import { RefreshFailedError } from '../errors.js';
import type { Permit } from './permit.js';

/** With less left of a lease, no token call is sent under it; a quarter of the TTL where that is shorter. */
const MIN_LEASE_MS = 5_000;
/** How often a lease is acquired again because too little was left of it for the token call. */
export const MAX_LEASES = 5;

/** The right to spend a refresh token; it may run out while a repeat is waited for. */
export interface SendingRight {
  /** Whether it still lasts for a call in `ms` milliseconds. */
  lasts(ms: number): boolean;
}

/** The right that a lease gives. */
export function sendingRight(lease: Pick<Permit, 'remainingMs'>, { ttlMs }: Pick<LeaseTiming, 'ttlMs'>): SendingRight {
  const leastMs = Math.min(MIN_LEASE_MS, ttlMs / 4);
  return { lasts: (ms) => lease.remainingMs() > leastMs + ms };
}

/** Nothing was spent, however often the lease was acquired. */
export function leasesTooShort(): RefreshFailedError {
  return new RefreshFailedError(
    `The lease ran out ${MAX_LEASES} times before the token call could be sent: the store is too slow for its TTL.`,
  );
}
