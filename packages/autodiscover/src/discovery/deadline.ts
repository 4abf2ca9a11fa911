import { AutodiscoverError } from '../errors.js';
import type { HttpClient } from '../http/http-client.js';
import type { Trace } from './trace.js';

export interface DeadlineOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly client: HttpClient;
  readonly trace: Trace;
}

/**
 * Runs `work` until its deadline, the caller's signal or the end of the client's connections, whichever comes first, and
 * says which it was. Whatever `work` waits for, this does not wait longer.
 */
export async function withDeadline<T>(
  { timeoutMs, signal, client, trace }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const ends = AbortSignal.any([deadline.signal, client.closing, ...(signal ? [signal] : [])]);
  const ended = Promise.withResolvers<never>();
  const onEnd = () => ended.reject(ends.reason);
  ends.addEventListener('abort', onEnd, { once: true });
  try {
    return await Promise.race([work(ends), ended.promise]);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (deadline.signal.aborted)
      throw new AutodiscoverError(`No answer within ${timeoutMs} ms.`, { code: 'TIMEOUT', trace: trace.steps, cause: error });
    if (client.closing.aborted)
      throw new AutodiscoverError('The connections were closed while the discovery ran.', {
        code: 'ABORTED',
        trace: trace.steps,
      });
    throw error;
  } finally {
    clearTimeout(timer);
    ends.removeEventListener('abort', onEnd);
  }
}
