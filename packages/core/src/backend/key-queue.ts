import { untilAborted } from '../until-aborted.js';

/** Runs the tasks of one key one after another; tasks of different keys run side by side. */
export class KeyQueue {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves as `task` does. An aborted `signal` ends the wait at once; a task that has not begun is skipped. */
  run<T>(key: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const begin = () => {
      signal?.throwIfAborted();
      return task();
    };
    const result = (this.#tails.get(key) ?? Promise.resolve()).then(begin);
    const tail = result.then(ignore, ignore);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return untilAborted(result, signal);
  }
}

function ignore(): void {}
