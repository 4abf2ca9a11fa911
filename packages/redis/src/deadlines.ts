/** A command was not answered in time. Whether the server carried it out is unknown. */
export class LateAnswer extends Error {
  override readonly name = 'LateAnswer';
}

/** A timer of Node.js that is to run for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Waiting {
  /** On the monotonic clock. */
  readonly until: number;
  readonly ms: number;
  readonly fail: (reason: unknown) => void;
}

/**
 * The deadlines of all commands of a connection, on one timer: with a timer of its own for each, a read from a server
 * nearby takes a tenth longer. The timer holds the process while a command is under way, which would otherwise end in the
 * middle of it; when none is, it runs out unheard.
 */
export class Deadlines {
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  /**
   * Resolves as `work` does; rejects with the reason of `signal` as soon as it aborts, and with {@link LateAnswer} after
   * `ms`. `work` itself goes on: a command that was sent cannot be called back.
   */
  inTime<T>(work: Promise<T>, { ms, signal }: { readonly ms: number; readonly signal?: AbortSignal | undefined }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        if (abort) signal.removeEventListener('abort', abort);
        this.#leave(waiting);
      };
      const fail = (reason: unknown) => {
        leave();
        reject(reason);
      };
      const abort = signal && (() => fail(signal.reason));
      const waiting: Waiting = { until: performance.now() + ms, ms, fail };
      this.#join(waiting);
      if (abort) signal.addEventListener('abort', abort, { once: true });
      work.then((value) => {
        leave();
        resolve(value);
      }, fail);
    });
  }

  #join(waiting: Waiting): void {
    if (this.#waiting.size === 0) this.#timer?.ref();
    this.#waiting.add(waiting);
    if (waiting.until < this.#firesAt) this.#arm(waiting.until);
  }

  #leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting) && this.#waiting.size === 0) this.#timer?.unref();
  }

  /** Never moved to a later instant: what fires too early looks for the next deadline. */
  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = at;
    const restMs = Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil(at - performance.now())));
    this.#timer = setTimeout(() => this.#fire(), restMs);
  }

  #fire(): void {
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const { until, ms, fail } of this.#waiting) if (until <= now) fail(new LateAnswer(`No answer within ${ms} ms.`));
    let next = Number.POSITIVE_INFINITY;
    for (const { until } of this.#waiting) next = Math.min(next, until);
    if (next < this.#firesAt) this.#arm(next);
  }
}
