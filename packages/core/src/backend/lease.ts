import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Clock, sleep } from '../clock.js';
import { LeaseTimeoutError } from '../errors.js';
import { emit } from '../observability/events.js';
import { fullJitter } from './back-off.js';
import { HeldLease } from './held-lease.js';
import type { LeaseProvider } from './token-backend.js';

/** How long leases live and how patiently they are waited for. */
export interface LeaseTiming {
  /** A holder that is silent for this long has lost the lease. @default 60_000 */
  readonly ttlMs: number;
  /** How often a holder shows that it lives. @default 20_000 */
  readonly renewEveryMs: number;
  /** How long to wait for somebody else's lease. @default 90_000 */
  readonly waitMs: number;
}

export const defaultLeaseTiming: LeaseTiming = Object.freeze({ ttlMs: 60_000, renewEveryMs: 20_000, waitMs: 90_000 });

/** The right to spend one refresh token, for a limited time; it renews itself until released or lost. */
export interface Lease {
  /** Names this holder: `host:pid:uuid`. */
  readonly owner: string;
  /** True once somebody else may hold it. */
  readonly lost: boolean;
  /** Milliseconds left on the monotonic clock since the last proven renewal; 0 when lost. */
  remainingMs(): number;
  /** Gives the lease back. Never rejects: a lease that could not be released ends by itself. */
  release(): Promise<void>;
}

export interface AcquireLeaseOptions<T> {
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Called between attempts; a value ends the wait without the lease. */
  readonly whileWaiting?: () => Promise<T | undefined>;
}

/** Between two attempts; short enough that a waiter notices a release quickly, jittered so that waiters do not march in step. */
const ATTEMPT_GAP = { minMs: 25, baseMs: 50, capMs: 500 };

/**
 * Waits for a lease and keeps it alive on a timer that never holds the process.
 * @throws LeaseTimeoutError naming the holder when `timing.waitMs` have passed.
 * @throws whatever the provider throws: a lease store that cannot be reached grants nothing.
 */
export async function acquireLease<T = never>(
  provider: LeaseProvider,
  name: string,
  options: AcquireLeaseOptions<T>,
): Promise<{ lease: Lease } | { adopted: T }> {
  const { timing, clock, signal } = options;
  const startedAt = clock.monotonic();
  const waitedMs = () => clock.monotonic() - startedAt;
  const owner = newOwner();
  for (let attempt = 1; ; attempt++) {
    const held = await attemptOnce(provider, name, { ...options, owner });
    if (held instanceof HeldLease) {
      emit('lease', () => ({ name, action: 'acquired', waitedMs: waitedMs() }));
      return { lease: held };
    }
    if (attempt === 1) emit('lease', () => ({ name, action: 'contended', holder: held.holder }));
    const adopted = await options.whileWaiting?.();
    if (adopted !== undefined) return { adopted };
    if (waitedMs() >= timing.waitMs) throw timedOut(name, held.holder, waitedMs());
    const gap = ATTEMPT_GAP.minMs + fullJitter(attempt, ATTEMPT_GAP);
    await sleep(clock, Math.min(gap, Math.max(1, timing.waitMs - waitedMs())), { signal });
  }
}

interface Attempt {
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly owner: string;
}

async function attemptOnce(
  provider: LeaseProvider,
  name: string,
  attempt: Attempt,
): Promise<HeldLease | { readonly holder: string }> {
  const { timing, clock, signal, owner } = attempt;
  signal?.throwIfAborted();
  // The lease counts from before the request: however slow the answer, the store cannot have granted it earlier.
  const askedAt = clock.monotonic();
  const request = { owner, ttlMs: timing.ttlMs, ...(signal ? { signal } : {}) };
  let answer: Awaited<ReturnType<LeaseProvider['tryAcquire']>>;
  try {
    answer = await provider.tryAcquire(name, request);
  } catch (error) {
    // The store may have granted it and lost the answer. Without this, everybody would wait for one TTL.
    provider.release(name, { owner, ttlMs: timing.ttlMs }).catch(() => {});
    throw error;
  }
  if (!answer.acquired) return answer;
  const lease = new HeldLease({ provider, name, owner, timing, clock, provenAt: askedAt });
  if (signal?.aborted) {
    await lease.release();
    throw signal.reason;
  }
  return lease;
}

function timedOut(name: string, holder: string, waitedMs: number): LeaseTimeoutError {
  emit('lease', () => ({ name, action: 'timed-out', waitedMs, holder }));
  return new LeaseTimeoutError(
    `The lease "${name}" was held by ${holder} for ${Math.round(waitedMs)} ms, longer than this call was ready to wait.`,
    { holder },
  );
}

function newOwner(): string {
  return `${hostname()}:${process.pid}:${randomUUID()}`;
}
