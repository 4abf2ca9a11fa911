import type { DecodedRecord, RecordAccess } from '../backend/record-access.js';
import { InteractionRequiredError, RefreshThrottledError, SignInRequiredError, TokenryError } from '../errors.js';
import { type AcquireOutcome, emit, type RefreshOutcome } from '../observability/events.js';
import { untilAborted } from '../until-aborted.js';
import type { RefreshCoordinator, RefreshedToken } from './coordinator.js';
import { SingleFlight } from './single-flight.js';
import { flightKey, type RefreshTrigger, type TokenRequest } from './token-request.js';

export interface SharedRefreshesOptions {
  readonly records: RecordAccess;
  readonly coordinator: RefreshCoordinator;
  readonly monotonic: () => number;
}

export interface RefreshCaller {
  /** The record as the caller knows it. */
  readonly record: DecodedRecord | undefined;
  readonly signal: AbortSignal | undefined;
  /** True: a request that was refused is sent again. */
  readonly insists: boolean;
  /** The token that an API refused: any other one will do. */
  readonly refusedToken?: string | undefined;
}

/** How a refresh ended. */
export interface RefreshEnd {
  readonly outcome: RefreshOutcome;
  readonly durationMs: number;
  readonly code?: string | undefined;
}

/** Refreshes that equal requests of this process share. Each is reported as an event; a refused one is not repeated. */
export class SharedRefreshes {
  readonly #options: SharedRefreshesOptions;
  readonly #flights = new SingleFlight();

  constructor(options: SharedRefreshesOptions) {
    this.#options = options;
  }

  /**
   * Joins a refresh in flight, or begins one. One that began before was begun for another wish: its token may be the very one
   * that this caller was refused, or, where it was adopted, end too soon for it.
   */
  async run(
    request: TokenRequest,
    trigger: RefreshTrigger,
    caller: RefreshCaller,
  ): Promise<{ readonly token: RefreshedToken['token']; readonly outcome: AcquireOutcome }> {
    const refusal = this.#refusal(request, caller);
    if (refusal && !(await this.#isLifted(request, caller.signal))) throw refusal;
    for (;;) {
      const { result, joined } = this.#flights.run(request.leaseName, flightKey(request), () => this.#reported(request, trigger));
      const { token, outcome } = await untilAborted(result, caller.signal);
      if (!joined) return { token, outcome };
      const serves =
        outcome === 'refreshed' ? token.secret !== caller.refusedToken : this.#options.coordinator.mayAdopt(token, trigger);
      if (serves) return { token, outcome: 'coalesced' };
    }
  }

  /** Resolves when no refresh is in flight. */
  async settled(): Promise<void> {
    while (this.#flights.size > 0) await this.#flights.settled();
  }

  report({ tokenKey, homeAccountId, grantType, scopes }: TokenRequest, { outcome, durationMs, code }: RefreshEnd): void {
    const event = { tokenKey, homeAccountId, grantType, scopes, outcome, durationMs };
    emit('refresh', () => (code === undefined ? event : { ...event, code }));
  }

  /** Throttling binds everyone; a refusal is repeated only when insisted on; a passing failure only stops background work. */
  #refusal(request: TokenRequest, { record, insists }: RefreshCaller): Error | undefined {
    const cooling = this.#options.coordinator.cooling(request, record);
    if (cooling?.kind === 'throttled')
      throw new RefreshThrottledError('The authorization server asked to slow down; this request was not sent.', {
        cause: cooling.error,
        retryAfterMs: cooling.remainingMs,
      });
    return cooling?.kind === 'request-refused' && !insists ? cooling.error : undefined;
  }

  // The person may have signed in at another process, as the refusal said.
  async #isLifted(request: TokenRequest, signal: AbortSignal | undefined): Promise<boolean> {
    if (request.homeAccountId === undefined) return false;
    try {
      const record = await this.#options.records.fresh(request.tokenKey, { signal });
      return this.#options.coordinator.cooling(request, record) === undefined;
    } catch {
      signal?.throwIfAborted();
      return false;
    }
  }

  async #reported(request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken> {
    const startedAt = this.#options.monotonic();
    const report = (outcome: RefreshOutcome, code?: string) =>
      this.report(request, { outcome, code, durationMs: this.#options.monotonic() - startedAt });
    try {
      const refreshed = await this.#options.coordinator.refresh(request, trigger);
      report(refreshed.outcome);
      return refreshed;
    } catch (error) {
      report(failureOutcome(error), TokenryError.is(error) ? error.code : undefined);
      throw error;
    }
  }
}

function failureOutcome(error: unknown): RefreshOutcome {
  if (RefreshThrottledError.is(error)) return 'throttled';
  if (InteractionRequiredError.is(error)) return error.retryable ? 'request-refused' : 'terminal';
  return SignInRequiredError.is(error) ? 'terminal' : 'failed';
}
