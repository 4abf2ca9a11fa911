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
 * answered 429, which spends nothing; and never once it is sent and unanswered (the server may have acted on it), nor once it was
 * answered and the provider failed at something else.
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
      if (gate.wasTaken) throw error;
      const delayMs = repeatAfterMs(error, attempt);
      if (delayMs === undefined || !right.lasts(delayMs)) throw publicFailure(error);
      await sleep(context.clock, delayMs, { hold: true });
      // The process may have stood still meanwhile, and somebody else hold the lease.
      if (!right.lasts(0)) throw publicFailure(error);
    }
  }
}

/**
 * Lets the first request out while the right lasts; what belongs to a call that was taken, or may have been, follows it in any
 * case. After a refusal, or where nothing left this machine, nothing is spent, and the next request is a new one: a rotated secret
 * may have been waited for.
 */
class Gate {
  readonly #fetch: typeof globalThis.fetch;
  readonly #right: SendingRight;
  /** So many requests were taken, or may have been, that could spend something. */
  #taken = 0;
  #wasClosed = false;

  constructor(fetch: typeof globalThis.fetch, right: SendingRight) {
    this.#fetch = fetch;
    this.#right = right;
  }

  /** Whether the right ran out while nothing was spent. */
  get wasClosed(): boolean {
    return this.#wasClosed;
  }

  /** Whether something is spent, or may be. */
  get wasTaken(): boolean {
    return this.#taken > 0;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (!this.wasTaken && !this.#right.lasts(0)) this.#wasClosed = true;
    if (this.#wasClosed) throw new NotSentError('The lease ran out before the request was sent.');
    return isSafe(input, init) ? this.#fetch(input, init) : this.#counted(input, init);
  };

  async #counted(...request: Parameters<typeof globalThis.fetch>): Promise<Response> {
    this.#taken += 1;
    try {
      const response = await this.#fetch(...request);
      if (isRefusal(response)) this.#taken -= 1;
      return response;
    } catch (error) {
      if (NotSentError.is(error)) this.#taken -= 1;
      throw error;
    }
  }
}

/** Such requests change nothing (RFC 9110 section 9.2.1): they look for the endpoint, or at whose token it is. */
function isSafe(...[input, init]: Parameters<typeof globalThis.fetch>): boolean {
  const method = init?.method ?? (typeof input === 'object' && 'method' in input ? input.method : 'GET');
  return ['GET', 'HEAD'].includes(method.toUpperCase());
}

// Behind a gateway that failed, the server may have acted.
function isRefusal({ status }: Response): boolean {
  return status >= 400 && status < 500;
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
