import type { Clock } from '../clock.js';

/** Differences below this are the network's, not the clock's. */
const TOLERANCE_MS = 30_000;

/** Tells the authorization server's time: our clock plus the offset that its answers' `Date` headers showed. */
export class ServerClock {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Server time in epoch milliseconds; token expiry is compared with it. */
  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }

  /** How far the server is ahead of us, in milliseconds; 0 within 30 s. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Takes note of the server's time as one answer gave it. */
  learn(serverNow: number): void {
    const offset = serverNow - this.#clock.now();
    this.#offsetMs = Math.abs(offset) > TOLERANCE_MS ? offset : 0;
  }
}
