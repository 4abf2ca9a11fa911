import { type Clock, sleep } from '../clock.js';

/** Lets one caller through every `delayMs` milliseconds, in the order they came. `0` lets everybody through. */
export class Spacing {
  readonly #delayMs: number;
  readonly #clock: Clock;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(delayMs: number, clock: Clock) {
    this.#delayMs = delayMs;
    this.#clock = clock;
  }

  async turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#delayMs === 0) return;
    const now = this.#clock.monotonic();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#delayMs;
    if (at > now) await sleep(this.#clock, at - now, { signal, hold: true });
  }
}
