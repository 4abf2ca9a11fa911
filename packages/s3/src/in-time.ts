/** Nothing came back in time; it is unknown whether the request took effect. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Runs `send` until it answers, the caller leaves, or `timeoutMs` are over. The SDK itself waits without end: for a silent
 * server unless its client was told otherwise, and for credentials and between its repetitions whatever `signal` says.
 * @throws NoAnswerError after `timeoutMs`; the reason of `signal`; otherwise what `send` rejects with.
 */
export async function inTime<T>(
  send: (waiting: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  signal?.throwIfAborted();
  const waiting = new AbortController();
  const left = Promise.withResolvers<never>();
  const leave = (reason: unknown) => {
    left.reject(reason);
    waiting.abort(reason);
  };
  const timer = setTimeout(() => leave(new NoAnswerError(`No answer within ${timeoutMs} ms.`)), timeoutMs);
  const abort = () => leave(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([send(waiting.signal), left.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
