import type { AccessTokenResult } from '../access-token.js';
import type { DecodedRecord, RecordAccess } from '../backend/record-access.js';
import type { CachedRecord } from '../backend/record-cache.js';
import { sufficientRecord } from '../backend/sufficient-record.js';
import { TokenryError } from '../errors.js';
import { type AcquireOutcome, emit } from '../observability/events.js';
import type { RefreshCoordinator } from './coordinator.js';
import { type Hit, Hits } from './hits.js';
import { hold } from './hold.js';
import type { RefreshWindows } from './policy.js';
import { accountFor, type Question, requestFor, selectedAccount, type TokenPlace } from './question.js';
import type { ServerClock } from './server-clock.js';
import { type RefreshCaller, SharedRefreshes } from './shared-refreshes.js';
import type { RefreshTrigger, TokenRequest } from './token-request.js';

export interface AccessTokenSourceOptions {
  readonly records: RecordAccess;
  readonly coordinator: RefreshCoordinator;
  readonly serverClock: ServerClock;
  readonly monotonic: () => number;
  readonly windows: RefreshWindows;
  /** Refresh in the background in the soft window; else callers wait there too. */
  readonly backgroundRefresh: boolean;
  readonly place: (tokenKey: string) => TokenPlace;
}

export interface GetTokenOptions {
  readonly minimumLifetimeMs?: number | undefined;
  readonly forceRefresh?: boolean | undefined;
  readonly claims?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The token that an API refused: any other one will do. */
  readonly refusedToken?: string | undefined;
}

/** Hands out access tokens: from memory while they are good, else through the coordinator. Steps 1 to 3 of the design. */
export class AccessTokenSource {
  readonly #options: AccessTokenSourceOptions;
  readonly #hits: Hits;
  readonly #refreshes: SharedRefreshes;

  constructor(options: AccessTokenSourceOptions) {
    this.#options = options;
    this.#hits = new Hits(options);
    this.#refreshes = new SharedRefreshes(options);
  }

  /** Where the record lies in memory: remembered by who asks for its tokens often, for `peek`. */
  locate(tokenKey: string): CachedRecord | undefined {
    return this.#options.records.locate(tokenKey);
  }

  /** The hot path: a token from memory that is out of its soft window, or nothing. No I/O, no promise. */
  peek(tokenKey: string, question: Question, entry = this.locate(tokenKey)): AccessTokenResult | undefined {
    const record = entry && this.#options.records.peek(tokenKey, entry);
    if (record === undefined) return undefined;
    const hit = this.#hits.known(record, question, entry);
    return hit !== undefined && this.#options.serverClock.now() < hit.softSecond * 1_000 ? hit.result : undefined;
  }

  /** Whether the record in memory or in the store holds a token that has not expired. */
  async holds(tokenKey: string, question: Question): Promise<boolean> {
    const record = await this.#options.records.current(tokenKey);
    const hit = record && this.#hits.find(record, tokenKey, question);
    return hit !== undefined && hit.expiresAt > this.#options.serverClock.now();
  }

  /**
   * A token that is valid now.
   * @throws SignInRequiredError and its children when only a person can help; RefreshFailedError, RefreshThrottledError,
   * LeaseTimeoutError or a backend error when trying again can.
   */
  async get(tokenKey: string, question: Question, options: GetTokenOptions = {}): Promise<AccessTokenResult> {
    const startedAt = this.#options.monotonic();
    let outcome: AcquireOutcome = 'failed';
    try {
      const answer = await this.#get(tokenKey, question, options);
      outcome = answer.outcome;
      return answer.result;
    } finally {
      emit('acquire', () => ({ tokenKey, outcome, durationMs: this.#options.monotonic() - startedAt }));
    }
  }

  /** Resolves when no refresh is in flight. */
  settled(): Promise<void> {
    return this.#refreshes.settled();
  }

  async #get(
    tokenKey: string,
    question: Question,
    options: GetTokenOptions,
  ): Promise<{ result: AccessTokenResult; outcome: AcquireOutcome }> {
    const { signal, claims, forceRefresh = false, refusedToken, minimumLifetimeMs = 0 } = options;
    signal?.throwIfAborted();
    const insists = forceRefresh || claims !== undefined;
    const record = await this.#record(tokenKey, question, { signal, fresh: insists });
    const hit = record && this.#hits.find(record, tokenKey, question);
    const now = this.#options.serverClock.now();
    const lasts = hit !== undefined && hit.secret !== refusedToken && hit.expiresAt - now > minimumLifetimeMs;
    if (!insists && lasts && now < hit.softAt) return { result: hit.result, outcome: 'hit' };
    if (refusedToken !== undefined && lasts && now < hit.hardAt) return { result: hit.result, outcome: 'adopted' };

    const request = this.#request(tokenKey, question, { record, hit, claims });
    const trigger = triggerOf({ hit, refusedToken, now, claims, minimumLifetimeMs });
    if (!insists && lasts && this.#options.coordinator.cooling(request, record)) {
      this.#refreshes.report(request, { outcome: 'cooling', durationMs: 0 });
      return { result: hit.result, outcome: now < hit.hardAt ? 'hit' : 'served-stale' };
    }
    if (!insists && lasts && now < hit.hardAt && this.#options.backgroundRefresh) {
      this.#refreshInBackground(request, trigger, record);
      return { result: hit.result, outcome: 'hit' };
    }
    try {
      return await hold(this.#refresh(request, trigger, { record, signal, insists, refusedToken }));
    } catch (error) {
      if (insists || !lasts || signal?.aborted) throw error;
      return { result: hit.result, outcome: 'served-stale' };
    }
  }

  async #record(
    tokenKey: string,
    question: Question,
    options: { readonly signal: AbortSignal | undefined; readonly fresh: boolean },
  ): Promise<DecodedRecord | undefined> {
    const { records } = this.#options;
    try {
      if (options.fresh) return await records.fresh(tokenKey, options);
      const suffices = (record: DecodedRecord) => this.#knowsWhom(record, tokenKey, question);
      return await sufficientRecord(records, tokenKey, { suffices, signal: options.signal });
    } catch (error) {
      // The program's own token can be had without the store; an account's cannot.
      if (!question.appOnly || !TokenryError.is(error) || !error.code.startsWith('TOKENRY_BACKEND_')) throw error;
      emit('fault', () => ({ operation: 'read', tokenKey, code: error.code }));
      return undefined;
    }
  }

  #knowsWhom(record: DecodedRecord, tokenKey: string, question: Question): boolean {
    if (question.appOnly || question.assertion !== undefined || this.#hits.known(record, question)) return true;
    return selectedAccount(question, record.cache, this.#options.place(tokenKey).clientId) !== undefined;
  }

  #request(
    tokenKey: string,
    question: Question,
    { record, hit, claims }: { record: DecodedRecord | undefined; hit: Hit | undefined; claims: string | undefined },
  ): TokenRequest {
    const place = this.#options.place(tokenKey);
    const account = hit?.account ?? accountFor(question, record?.cache, place.clientId);
    return requestFor(question, place, { account, claims });
  }

  #refreshInBackground(request: TokenRequest, trigger: RefreshTrigger, record: DecodedRecord | undefined): void {
    // Its failure is in the refresh event; the caller has a valid token.
    this.#refresh(request, trigger, { record, signal: undefined, insists: false }).catch(() => undefined);
  }

  async #refresh(
    request: TokenRequest,
    trigger: RefreshTrigger,
    caller: RefreshCaller,
  ): Promise<{ result: AccessTokenResult; outcome: AcquireOutcome }> {
    const { token, outcome } = await this.#refreshes.run(request, trigger, caller);
    const { homeAccountId } = request;
    const named = homeAccountId === undefined ? undefined : caller.record?.cache.getAccount({ homeAccountId });
    return { result: this.#hits.toResult(token, trigger.account ?? named), outcome };
  }
}

function triggerOf(found: {
  readonly hit: Hit | undefined;
  readonly refusedToken: string | undefined;
  readonly now: number;
  readonly claims: string | undefined;
  readonly minimumLifetimeMs: number;
}): RefreshTrigger {
  const { hit, refusedToken, now, claims, minimumLifetimeMs } = found;
  return {
    secret: refusedToken ?? hit?.secret,
    expired: hit === undefined || hit.expiresAt <= now,
    account: hit?.account,
    adoptNothing: claims !== undefined && refusedToken === undefined,
    minimumLifetimeMs,
  };
}
