import { untilAborted } from '../until-aborted.js';

/**
 * One reading of a source that several callers wait for: each may give up alone, and the source hears of it once all of
 * them have.
 */
export class SharedReading<T> {
  readonly #value: Promise<T>;
  readonly #controller = new AbortController();
  #waiting = 0;
  #state: 'reading' | 'read' | 'useless' = 'reading';

  constructor(read: (signal: AbortSignal) => Promise<T>) {
    this.#value = read(this.#controller.signal);
    this.#value.then(
      () => {
        this.#state = 'read';
      },
      () => {
        this.#state = 'useless';
      },
    );
  }

  /** Whether it may be waited for: not once it failed, or everybody gave up. */
  get isUsable(): boolean {
    return this.#state !== 'useless';
  }

  /** What was read; rejects with the reason of `signal` when that aborts first. */
  async wait(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting += 1;
    try {
      return await untilAborted(this.#value, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && this.#state === 'reading') this.#abandon(signal);
    }
  }

  #abandon(signal: AbortSignal | undefined): void {
    this.#state = 'useless';
    this.#controller.abort(signal?.reason);
  }
}
