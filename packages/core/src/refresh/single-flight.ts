/**
 * Lets equal work run once and different work on the same subject run one after the other, inside this process.
 * A rejection is handed to everyone who waited and then forgotten.
 */
export class SingleFlight {
  readonly #flights = new Map<string, Promise<unknown>>();
  readonly #queues = new Map<string, Promise<unknown>>();

  /** Work in flight or queued. */
  get size(): number {
    return this.#flights.size;
  }

  /** Joins the flight `key`, or starts it behind whatever runs for `subject`. `joined` tells which. */
  run<T>(subject: string, key: string, work: () => Promise<T>): { readonly result: Promise<T>; readonly joined: boolean } {
    const running = this.#flights.get(key) as Promise<T> | undefined;
    if (running) return { result: running, joined: true };
    const before = this.#queues.get(subject);
    const result = (before ? before.then(work, work) : work()).finally(() => this.#flights.delete(key));
    this.#flights.set(key, result);
    const tail = result.then(ignore, ignore).finally(() => {
      if (this.#queues.get(subject) === tail) this.#queues.delete(subject);
    });
    this.#queues.set(subject, tail);
    return { result, joined: false };
  }

  /** Resolves when everything in flight now has ended, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#flights.values());
  }
}

// The queue only orders; whoever awaits the result sees its failure.
function ignore(): void {}
