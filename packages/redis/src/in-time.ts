/** A command was not answered in time. Whether the server carried it out is unknown. */
export class LateAnswer extends Error {
  override readonly name = 'LateAnswer';
}

/**
 * Resolves as `work` does; rejects with the reason of `signal` as soon as it aborts, and with {@link LateAnswer} after
 * `ms`. `work` itself goes on: a command that was sent cannot be called back. The timer holds the process, which would
 * otherwise end in the middle of an operation.
 */
export function inTime<T>(work: Promise<T>, { ms, signal }: { readonly ms: number; readonly signal?: AbortSignal | undefined }) {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      reject(new LateAnswer(`No answer within ${ms} ms.`));
    }, ms);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const abort = () => {
      settle();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    work.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
  });
}
