import { type Clock, sleep } from '../clock.js';
import { TokenNotSavedError } from '../errors.js';

/** How long closing waits for the store. */
const MAX_SAVE_WAIT_MS = 30_000;
/** How long a lease is kept for tokens that the store does not take. */
const MAX_PENDING_LEASE_MS = 300_000;

/** Tokens that were obtained and are not in the store yet; their leases are kept, so that nobody spends what they replaced. */
export class UnsavedTokens {
  readonly #clock: Clock;
  readonly #waiting = new Map<Promise<void>, string>();
  /** Token keys whose newest tokens the backend gave up. */
  readonly #lost = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `release` once: when the tokens are saved or given up, or after five minutes. */
  keep({ tokenKey, settled, release }: { tokenKey: string; settled: Promise<void>; release: () => Promise<void> }): void {
    this.#waiting.set(settled, tokenKey);
    const done = new AbortController();
    const patience = sleep(this.#clock, MAX_PENDING_LEASE_MS, { signal: done.signal }).catch(() => {});
    const end = () => {
      this.#waiting.delete(settled);
      done.abort();
    };
    settled.then(end, () => {
      this.#lost.add(tokenKey);
      end();
    });
    void patience.then(release);
  }

  /**
   * Resolves when everything is saved.
   * @throws TokenNotSavedError after 30 s, or when the backend was closed before.
   */
  async saved(): Promise<void> {
    if (this.#waiting.size > 0) await this.#settledInTime();
    if (this.#lost.size > 0)
      throw new TokenNotSavedError('The backend was closed before it had the newest tokens; they end with this process.', {
        tokenKeys: [...this.#lost],
      });
  }

  async #settledInTime(): Promise<void> {
    const tokenKeys = [...new Set(this.#waiting.values())];
    const done = new AbortController();
    const late = sleep(this.#clock, MAX_SAVE_WAIT_MS, { signal: done.signal, hold: true }).then(() => {
      throw new TokenNotSavedError('The store did not take the newest tokens in time; they end with this process.', {
        tokenKeys,
      });
    });
    try {
      await Promise.race([Promise.allSettled(this.#waiting.keys()), late]);
    } finally {
      // Its timer would hold the process after everything is done.
      done.abort();
    }
  }
}
