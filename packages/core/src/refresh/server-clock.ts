import type { Clock } from '../clock.js';
import type { TokenCache } from '../tokens/token-cache.js';

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

  /**
   * Takes note of the server's time as an answer gave it, by the difference that was seen when the answer came: since then time
   * may have passed.
   */
  learn({ serverNow, lastAdded }: Pick<TokenCache, 'serverNow' | 'lastAdded'>): void {
    if (serverNow !== undefined && lastAdded !== undefined) this.#offsetMs = lastAdded.clockOffsetMs;
  }
}
