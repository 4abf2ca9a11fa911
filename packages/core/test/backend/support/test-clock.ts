import type { Clock } from '../../../src/clock.js';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that moves only when told to; sleepers wake when their time has come. */
export class TestClock implements Clock {
  #time = 1_000;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return 1_700_000_000_000 + this.#time;
  }
  monotonic(): number {
    return this.#time;
  }
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const sleeper = {
        at: this.#time + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Time goes by in which the process does nothing, as if it were stopped. */
  jump(ms: number): void {
    this.#time += ms;
  }

  /** Moves time on, waking sleepers in order and letting what they started run. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await settle();
    for (;;) {
      const next = [...this.#sleepers].filter((sleeper) => sleeper.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#sleepers.delete(next);
      this.#time = Math.max(this.#time, next.at);
      next.wake();
      await settle();
    }
    this.#time = end;
    await settle();
  }
}

/** Lets promises that are ready run, and what they make ready. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}
