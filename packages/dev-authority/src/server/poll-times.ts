import { type Refusal, refusal } from './refusal.js';

const MAX_CODES = 10_000;

/** Remembers when each device code was last asked about. */
export class PollTimes {
  readonly #last = new Map<string, number>();

  /** `slow_down` when a poll comes too soon after the one before (RFC 8628, 3.5). */
  refusalOf(deviceCode: string, intervalSeconds: number): Refusal | undefined {
    const [now, last] = [Date.now(), this.#last.get(deviceCode)];
    if (this.#last.size >= MAX_CODES) this.#last.clear();
    this.#last.set(deviceCode, now);
    // A fifth of tolerance: timers of clients fire a little early, networks deliver unevenly.
    const tooSoon = last !== undefined && now - last < intervalSeconds * 800;
    return tooSoon ? refusal('slow_down', 70016, 'The client polls too often. Wait longer between requests.') : undefined;
  }
}
