/**
 * Nothing came back in time; it is unknown whether the request took effect. Not yet an error for callers: a backend's
 * `mapError` makes one of it that says what it means for a token, and tells it by its name, as it does the SDK's own.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

export interface InTimeOptions {
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Into so many pieces a deadline is cut. */
const STEPS = 10;
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Runs `call` until it ends, the caller leaves, or `timeoutMs` are over, for SDKs that wait on without end: for a silent
 * server, for credentials, or because they cannot be told to stop. Who waits leaves then; the signal that `call` is given
 * aborts, and what still comes of it is dropped. The process stays alive meanwhile.
 * @throws NoAnswerError after `timeoutMs`; the reason of `signal`; otherwise what `call` rejects with.
 *
 * @example
 * ```ts
 * const answer = await inTime((signal) => client.send(command, { abortSignal: signal }), { timeoutMs: 5_000, signal });
 * ```
 */
export async function inTime<T>(call: (waiting: AbortSignal) => Promise<T>, { timeoutMs, signal }: InTimeOptions): Promise<T> {
  signal?.throwIfAborted();
  const waiting = new AbortController();
  const left = Promise.withResolvers<never>();
  // A call that fails at once, after its caller has left, leaves nobody who waits for this.
  left.promise.catch(() => undefined);
  const leave = (reason: unknown) => {
    left.reject(reason);
    waiting.abort(reason);
  };
  const abort = () => leave(signal?.reason);
  // In steps, so that a while in which this process stood still (loading an SDK, a suspended machine) counts as one of them:
  // the answer may lie there unread.
  let stepsLeft = STEPS;
  const step = () => {
    stepsLeft -= 1;
    if (stepsLeft <= 0) leave(new NoAnswerError(`No answer within ${Math.round(timeoutMs)} ms.`));
  };
  const timer = setInterval(step, Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil(timeoutMs / STEPS))));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([call(waiting.signal), left.promise]);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', abort);
  }
}
