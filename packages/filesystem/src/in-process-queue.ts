import { untilAborted } from '@tokenry/core/backend';

/** One after the other within this process, per name: a file lock would make them poll for each other. */
export class InProcessQueue {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `action` after everything queued before under `name`; an aborted `signal` leaves the queue. */
  async run<T>(name: string, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#tails.get(name);
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    // Who leaves early must still not let the next one overtake those before.
    const tail = before ? before.then(() => done) : done;
    this.#tails.set(name, tail);
    try {
      if (before) await untilAborted(before, signal);
      return await action();
    } finally {
      finish();
      void tail.then(() => this.#tails.get(name) === tail && this.#tails.delete(name));
    }
  }
}
