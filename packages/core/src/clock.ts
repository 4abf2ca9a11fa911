/** Epoch milliseconds, a monotonic reading, and (for simulated time) a way to wait. */
export interface Clock {
  /** Wall-clock time in epoch milliseconds; compared with token expiry only. */
  now(): number;
  /** Milliseconds on a clock that never goes back; leases and staleness are measured on it. */
  monotonic(): number;
  /**
   * Waits `ms` milliseconds. Absent: real timers, which never keep the process alive by themselves.
   * Rejects with `signal.reason` when `signal` aborts.
   */
  sleep?(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** The machine's own clocks. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
});

/** Waits on `clock`; an aborted `signal` rejects with its reason. `hold` keeps the process alive meanwhile. */
export function sleep(
  clock: Clock,
  ms: number,
  options: { readonly signal?: AbortSignal | undefined; readonly hold?: boolean } = {},
): Promise<void> {
  const { signal, hold = false } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (clock.sleep) return clock.sleep(ms, { signal });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(finish, ms);
    if (!hold) timer.unref();
    signal?.addEventListener('abort', abort, { once: true });
    function finish() {
      signal?.removeEventListener('abort', abort);
      resolve();
    }
    function abort() {
      clearTimeout(timer);
      reject(signal?.reason);
    }
  });
}
