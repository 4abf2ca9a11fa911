import { invalidArgument } from '../options.js';
import { Call } from './call.js';
import type { FetchInput } from './fetch.js';
import type { Network } from './network.js';

export interface AttemptOptions {
  /** Longest time for the whole answer, from now to the last byte of its body. Milliseconds. */
  readonly wholeAnswerMs?: number;
}

/**
 * One call of the platform's `fetch` on our connections.
 * @throws NotSentError when no byte of the request left this machine, `TimeoutError` for our own deadlines, the signal's
 * reason on abort; otherwise what the platform throws.
 */
export async function attempt(
  network: Network,
  input: FetchInput,
  init: RequestInit = {},
  options: AttemptOptions = {},
): Promise<Response> {
  const target = checkedTarget(input);
  const call = new Call({ target, callerSignal: callerSignalOf(input, init), timeoutMs: network.timeoutMs, ...options });
  const dispatcher = network.adapter((request, handler) => network.dispatcher.dispatch(request, call.follow(handler)));
  const answer = globalThis.fetch(input, { ...init, signal: call.signal, dispatcher } as object);
  track(network.waiting, answer);
  track(network.reading, call.ended);
  try {
    const response = await answer;
    call.answered();
    return response;
  } catch (error) {
    call.finish();
    throw call.translate(error);
  }
}

function track(underWay: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  const forget = (): void => void underWay.delete(promise);
  underWay.add(promise);
  promise.then(forget, forget);
}

function callerSignalOf(input: FetchInput, init: RequestInit): AbortSignal | undefined {
  return init.signal ?? (typeof input === 'object' && 'signal' in input ? input.signal : undefined);
}

/** The origin, for messages. Checked here because the platform's own messages would quote the whole URL, secrets included. */
function checkedTarget(input: FetchInput): string {
  const text = typeof input === 'object' && 'url' in input ? input.url : String(input);
  if (!URL.canParse(text)) throw invalidArgument('fetch: the URL is not an absolute URL.');
  const url = new URL(text);
  if (url.username || url.password) throw invalidArgument('fetch: the URL must not carry credentials.');
  return url.origin;
}
