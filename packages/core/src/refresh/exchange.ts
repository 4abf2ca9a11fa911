import { sleep } from '../clock.js';
import { RefreshFailedError } from '../errors.js';
import type { Grant } from '../provider/grant.js';
import { NotSentError, TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { ProviderContext, TokenProvider } from '../provider/token-provider.js';
import type { TokenCache } from '../tokens/token-cache.js';
import type { SendingRight } from './sending-right.js';

const MAX_ATTEMPTS = 3;
const BASE_DELAY_MS = 500;
/** Longer requests to wait are passed on to the caller as throttling. */
const MAX_RETRY_AFTER_MS = 10_000;

/**
 * Sends one grant so that the server sees it at most once. It is repeated only when nothing was sent, or when the server
 * answered 429, which spends nothing; and never once it is sent and unanswered (the server may have acted on it).
 *
 * `false`: the right ran out before anything was sent, or after a refusal, which spends nothing. It is looked at when a request
 * leaves: before that, providers load their libraries and sign assertions, and a process may stand still.
 */
export async function exchangeOnce(
  provider: TokenProvider,
  grant: Grant,
  slice: TokenCache,
  context: ProviderContext,
  right: SendingRight,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const gate = new Gate(context.fetch, right);
    try {
      await provider.exchange(grant, slice, { ...context, fetch: gate.fetch });
      return true;
    } catch (error) {
      if (gate.wasClosed) return false;
      const delayMs = repeatAfterMs(error, attempt);
      if (delayMs === undefined || !right.lasts(delayMs)) throw publicFailure(error);
      await sleep(context.clock, delayMs, { hold: true });
      // The process may have stood still meanwhile, and somebody else hold the lease.
      if (!right.lasts(0)) throw publicFailure(error);
    }
  }
}

/**
 * Lets the first request out while the right lasts; what belongs to a call that was taken follows it in any case. After a refusal,
 * or where nothing left this machine, nothing is spent, and the next request is a new one: a rotated secret may have been waited for.
 */
class Gate {
  readonly #fetch: typeof globalThis.fetch;
  readonly #right: SendingRight;
  #state: 'unused' | 'passed' | 'closed' = 'unused';

  constructor(fetch: typeof globalThis.fetch, right: SendingRight) {
    this.#fetch = fetch;
    this.#right = right;
  }

  get wasClosed(): boolean {
    return this.#state === 'closed';
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (this.#state === 'unused') this.#state = this.#right.lasts(0) ? 'passed' : 'closed';
    if (this.#state === 'closed') throw new NotSentError('The lease ran out before the request was sent.');
    try {
      const response = await this.#fetch(input, init);
      if (response.status >= 400) this.#state = 'unused';
      return response;
    } catch (error) {
      if (NotSentError.is(error)) this.#state = 'unused';
      throw error;
    }
  };
}

function repeatAfterMs(error: unknown, attempt: number): number | undefined {
  if (attempt >= MAX_ATTEMPTS) return undefined;
  const backOffMs = BASE_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
  if (NotSentError.is(error)) return backOffMs;
  if (!TokenEndpointError.is(error) || error.status !== 429) return undefined;
  const wanted = error.retryAfterMs ?? backOffMs;
  return wanted <= MAX_RETRY_AFTER_MS ? wanted : undefined;
}

function publicFailure(error: unknown): unknown {
  if (!NotSentError.is(error)) return error;
  return new RefreshFailedError('The authorization server could not be reached; nothing was sent.', { cause: error });
}
