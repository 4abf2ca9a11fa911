import { inTime, sleep, systemClock } from '@tokenry/core/backend';
import { type StatusName, statusOf } from './grpc-status.js';

export interface AttemptLimits {
  /** For all attempts together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a call is told. */
export interface AttemptState {
  /** An earlier attempt failed without saying whether it took effect. */
  readonly repeated: boolean;
  /** Aborted as soon as nobody waits any more: a call of several steps must then stop between them. */
  readonly signal: AbortSignal;
}

/** Broken connections (UNAVAILABLE, and INTERNAL for a reset stream) and write contention: all gone a moment later. */
const PASSING: ReadonlySet<StatusName | undefined> = new Set(['UNAVAILABLE', 'INTERNAL', 'ABORTED']);
const MAX_ATTEMPTS = 4;
const BACK_OFF = { baseMs: 40, capMs: 400 };

/**
 * Calls until it works, fails for good, `timeoutMs` are over, or the caller leaves.
 * @throws NoAnswerError after `timeoutMs`; the signal's reason; otherwise the SDK's error.
 */
export async function attempt<T>(call: (state: AttemptState) => Promise<T>, { timeoutMs, signal }: AttemptLimits): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  let unsure = false;
  for (let count = 1; ; count++) {
    try {
      const state = { repeated: unsure };
      return await inTime((waiting) => call({ ...state, signal: waiting }), {
        timeoutMs: giveUpAt - performance.now(),
        signal,
      });
    } catch (error) {
      const status = statusOf(error);
      // Random, so that rivals for one document do not meet again.
      const pauseMs = Math.random() * Math.min(BACK_OFF.capMs, BACK_OFF.baseMs * 2 ** count);
      if (!PASSING.has(status) || count >= MAX_ATTEMPTS || performance.now() + pauseMs >= giveUpAt) throw error;
      unsure ||= status !== 'ABORTED';
      await sleep(systemClock, pauseMs, { signal, hold: true });
    }
  }
}
