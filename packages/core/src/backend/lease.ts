import { type Clock, sleep } from '../clock.js';
import { LeaseTimeoutError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { emit } from '../observability/events.js';
import { fullJitter } from './back-off.js';
import { HeldLease } from './held-lease.js';
import type { Lease, LeaseTiming } from './lease-timing.js';
import type { LeaseProvider } from './token-backend.js';

export { defaultLeaseTiming, type Lease, type LeaseTiming } from './lease-timing.js';

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
  return `${process.getBuiltinModule('node:os').hostname()}:${process.pid}:${nodeCrypto().randomUUID()}`;
}
