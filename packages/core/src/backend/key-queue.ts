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
    return signal ? untilAborted(result, signal) : result;
  }
}

/** Resolves as `work` does, or rejects with the reason of `signal` as soon as it aborts; `work` itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(ignore);
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function ignore(): void {}
