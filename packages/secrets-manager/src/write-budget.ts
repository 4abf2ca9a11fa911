/** Instants of a forgotten secret only let one write through early. */
const MAX_REMEMBERED = 10_000;
/** A timer of Node.js that is given more ends at once; who waits asks again after it. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * When each secret was last written, by whomever: its versions say so themselves, so that a fleet shares one budget
 * without talking.
 */
export class WriteBudget {
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #writtenAt = new Map<string, number>();

  constructor(options: { readonly intervalMs: number; readonly now: () => number }) {
    this.#intervalMs = options.intervalMs;
    this.#now = options.now;
  }

  /** `at`: the service's own clock, where it is known. */
  written(name: string, at: number = this.#now()): void {
    if (this.#intervalMs === 0) return;
    this.#writtenAt.delete(name);
    this.#writtenAt.set(name, at);
    const [oldest] = this.#writtenAt.keys();
    if (this.#writtenAt.size > MAX_REMEMBERED && oldest !== undefined) this.#writtenAt.delete(oldest);
  }

  /** Milliseconds until one more write is within the budget; never more than one interval, whatever the clocks say. */
  waitMs(name: string): number {
    const at = this.#writtenAt.get(name);
    if (at === undefined) return 0;
    return Math.min(LONGEST_TIMER_MS, this.#intervalMs, Math.max(0, at + this.#intervalMs - this.#now()));
  }
}
