import type { Clock } from '../clock.js';
import { RecentMap } from '../recent-map.js';

/** Why a refresh is not tried again yet. */
export interface Cooling {
  readonly kind: 'throttled' | 'request-refused' | 'transient';
  /** What the last attempt ended with; thrown again to callers that have no valid token. */
  readonly error: Error;
  /** Digest of the refresh token that was refused: another one in the record ends a refusal at once. */
  readonly refreshTokenDigest: string | undefined;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Remembers failed refreshes for a while, so that a failing server is not asked by every caller. Bounded. */
export class CoolDown {
  readonly #clock: Clock;
  readonly #entries = new RecentMap<string, Cooling>(1_000);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): Cooling | undefined {
    const entry = this.#entries.get(key);
    if (entry && entry.until > this.#clock.monotonic()) return entry;
    if (entry) this.#entries.delete(key);
    return undefined;
  }

  remainingMs(entry: Cooling): number {
    return Math.max(0, entry.until - this.#clock.monotonic());
  }

  set(key: string, entry: Omit<Cooling, 'until'>, forMs: number): void {
    this.#entries.set(key, { ...entry, until: this.#clock.monotonic() + forMs });
  }

  clear(key: string): void {
    this.#entries.delete(key);
  }
}
