import { type Clock, sleep } from '../clock.js';
import { outOfRange, strictOptions } from '../options.js';
import { NotSentError } from '../provider/token-endpoint-error.js';
import { discard } from './discard.js';
import type { Fetch } from './fetch.js';
import { networkCode } from './network-errors.js';
import { type Outgoing, outgoing, sendable } from './outgoing.js';
import { retryAfterMs } from './retry-after.js';
import { Spacing } from './spacing.js';

/** When to send a request again. */
export interface RetryPolicy {
  /** How often a request is repeated at most; `0` never. @default 3 */
  readonly requestRetries?: number;
  /** Also repeat POST and PATCH after 502, 503, 504 and broken connections, where the server may have acted. @default false */
  readonly retryUnsafe?: boolean;
  /** A server that asks for a longer wait than this gets its answer returned instead. Milliseconds. @default 300_000 */
  readonly maxRetryAfterMs?: number;
  /** Shortest time between two requests. Milliseconds. @default 0 */
  readonly requestsDelayMs?: number;
}

/** The names of `RetryPolicy`, for owners that pass them through. */
export const RETRY_OPTIONS = [
  'requestRetries',
  'retryUnsafe',
  'maxRetryAfterMs',
  'requestsDelayMs',
] as const satisfies readonly (keyof RetryPolicy)[];

const BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
const GATEWAY_FAILURES = new Set([502, 503, 504]);
/** The connection broke, or none came about for a reason that passes. */
const PASSING = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
]);

/**
 * A `fetch` that repeats what is worth repeating: 429, and 503 with `Retry-After`, for every method; 502, 503, 504 and
 * broken connections for idempotent methods, or all with `retryUnsafe`; connections that never came about for every method.
 * It waits as long as the server asks, otherwise with full jitter from half a second up. When it gives up, the last answer
 * is returned and the last error thrown. A body that cannot be sent twice is sent once.
 */
export function retryingFetch(fetch: Fetch, policy: RetryPolicy, clock: Clock): Fetch {
  const rules = checkedPolicy(policy);
  const spacing = new Spacing(rules.requestsDelayMs, clock);
  return async (input, init) => {
    const request = await outgoing(input, init);
    for (let attempt = 0; ; attempt++) {
      await spacing.turn(request.signal);
      const outcome = await settled(fetch(...sendable(request)));
      const delayMs =
        attempt < rules.requestRetries ? delayBeforeRepeat(request, outcome, { attempt, rules, now: clock.now() }) : undefined;
      if (delayMs === undefined) return returned(outcome);
      if ('response' in outcome) await discard(outcome.response);
      await sleep(clock, delayMs, { signal: request.signal, hold: true });
    }
  };
}

type Outcome = { readonly response: Response } | { readonly error: unknown };
type Rules = Required<RetryPolicy>;

async function settled(answer: Promise<Response>): Promise<Outcome> {
  try {
    return { response: await answer };
  } catch (error) {
    return { error };
  }
}

function returned(outcome: Outcome): Response {
  if ('error' in outcome) throw outcome.error;
  return outcome.response;
}

/** Milliseconds to wait, or `undefined`: this outcome stands. */
function delayBeforeRepeat(
  request: Outgoing,
  outcome: Outcome,
  { attempt, rules, now }: { readonly attempt: number; readonly rules: Rules; readonly now: number },
): number | undefined {
  if (!request.replayable || request.signal?.aborted) return undefined;
  const repeatable = rules.retryUnsafe || IDEMPOTENT.has(request.method);
  if ('error' in outcome) {
    const worthIt = PASSING.has(networkCode(outcome.error) ?? '') && (repeatable || NotSentError.is(outcome.error));
    return worthIt ? jitter(attempt) : undefined;
  }
  const { status, headers } = outcome.response;
  const asked = retryAfterMs(headers, now);
  const refused = status === 429 || (status === 503 && asked !== undefined);
  if (!refused && !(repeatable && GATEWAY_FAILURES.has(status))) return undefined;
  if (asked === undefined) return jitter(attempt);
  return asked <= rules.maxRetryAfterMs ? asked : undefined;
}

/** Full jitter: many clients that failed together do not come back together. */
function jitter(attempt: number): number {
  return Math.random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** attempt);
}

function checkedPolicy(policy: RetryPolicy): Rules {
  const checked = strictOptions('Retry policy', policy, RETRY_OPTIONS);
  const { requestRetries = 3, retryUnsafe = false, maxRetryAfterMs = 300_000, requestsDelayMs = 0 } = checked;
  if (!Number.isInteger(requestRetries) || requestRetries < 0)
    throw outOfRange('requestRetries must be a whole number, 0 or more.');
  for (const [name, value] of Object.entries({ maxRetryAfterMs, requestsDelayMs }))
    if (!Number.isFinite(value) || value < 0) throw outOfRange(`${name} must be a number of milliseconds, 0 or more.`);
  return { requestRetries, retryUnsafe, maxRetryAfterMs, requestsDelayMs };
}
