import type { AccessTokenResult } from '../access-token.js';
import type { DecodedRecord, RecordAccess } from '../backend/record-access.js';
import type { CachedRecord } from '../backend/record-cache.js';
import { sufficientRecord } from '../backend/sufficient-record.js';
import { InteractionRequiredError, RefreshThrottledError, SignInRequiredError, TokenryError } from '../errors.js';
import { type AcquireOutcome, emit, type RefreshOutcome } from '../observability/events.js';
import type { AccountInfo, StoredAccessToken } from '../tokens/schema.js';
import type { RefreshCoordinator, RefreshedToken } from './coordinator.js';
import { hold } from './hold.js';
import { drawFor, type RefreshWindows, scheduleOf, type TokenSchedule } from './policy.js';
import { accountFor, matchFor, type Question, requestFor, selectedAccount, type TokenPlace } from './question.js';
import type { ServerClock } from './server-clock.js';
import { abandonOn, SingleFlight } from './single-flight.js';
import { flightKey, type RefreshTrigger, type TokenRequest } from './token-request.js';

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

type SharedOptions = Pick<GetTokenOptions, 'signal' | 'refusedToken'>;

/** A stored token as it is handed out, with its schedule. */
interface Hit extends TokenSchedule {
  /** `softAt` in whole seconds, which lie in the object itself: among many records each place in memory is a wait. */
  readonly softSecond: number;
  readonly record: DecodedRecord;
  readonly question: Question;
  readonly result: AccessTokenResult;
  readonly secret: string;
  readonly account: AccountInfo | undefined;
}

/** Hands out access tokens: from memory while they are good, else through the coordinator. Steps 1 to 3 of the design. */
export class AccessTokenSource {
  readonly #options: AccessTokenSourceOptions;
  readonly #flights = new SingleFlight();
  readonly #hits = new WeakMap<DecodedRecord, Map<string, Hit>>();

  constructor(options: AccessTokenSourceOptions) {
    this.#options = options;
  }

  /** Where the record lies in memory: remembered by who asks for its tokens often, for `peek`. */
  locate(tokenKey: string): CachedRecord | undefined {
    return this.#options.records.locate(tokenKey);
  }

  /** The hot path: a token from memory that is out of its soft window, or nothing. No I/O, no promise. */
  peek(tokenKey: string, question: Question, entry = this.locate(tokenKey)): AccessTokenResult | undefined {
    const record = entry && this.#options.records.peek(tokenKey, entry);
    if (record === undefined) return undefined;
    // Among many records each object that a hit touches is a wait for memory: here the entry and the hit.
    let hit = entry?.memo as Hit | undefined;
    if (hit?.record !== record || hit.question !== question) {
      hit = this.#hits.get(record)?.get(question.id);
      if (entry && hit?.question === question) entry.memo = hit;
    }
    return hit !== undefined && this.#options.serverClock.now() < hit.softSecond * 1_000 ? hit.result : undefined;
  }

  /** Whether the record in memory or in the store holds a token that has not expired. */
  async holds(tokenKey: string, question: Question): Promise<boolean> {
    const hit = this.#hit(await this.#options.records.current(tokenKey), tokenKey, question);
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
  async settled(): Promise<void> {
    while (this.#flights.size > 0) await this.#flights.settled();
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
    const hit = this.#hit(record, tokenKey, question);
    const now = this.#options.serverClock.now();
    const lasts = hit !== undefined && hit.secret !== refusedToken && hit.expiresAt - now > minimumLifetimeMs;
    if (!insists && lasts && now < hit.softAt) return { result: hit.result, outcome: 'hit' };
    if (refusedToken !== undefined && lasts && now < hit.hardAt) return { result: hit.result, outcome: 'adopted' };

    const request = this.#request(tokenKey, question, { record, hit, claims });
    const trigger = triggerOf({ hit, refusedToken, now, claims, minimumLifetimeMs });
    if (!insists && lasts && this.#options.coordinator.cooling(request, record)) {
      this.#report(request, { outcome: 'cooling', durationMs: 0 });
      return { result: hit.result, outcome: now < hit.hardAt ? 'hit' : 'served-stale' };
    }
    if (!insists && lasts && now < hit.hardAt && this.#options.backgroundRefresh) {
      this.#refreshInBackground(request, trigger, record);
      return { result: hit.result, outcome: 'hit' };
    }
    try {
      return await hold(this.#refresh(request, trigger, { record, signal, ignoreCooling: insists, refusedToken }));
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
    if (question.appOnly || question.assertion !== undefined || this.#hits.get(record)?.has(question.id)) return true;
    return selectedAccount(question, record.cache, this.#options.place(tokenKey).clientId) !== undefined;
  }

  #hit(record: DecodedRecord | undefined, tokenKey: string, question: Question): Hit | undefined {
    if (!record) return undefined;
    const known = this.#hits.get(record)?.get(question.id);
    if (known) return known;
    const place = this.#options.place(tokenKey);
    const account = question.appOnly || question.assertion ? undefined : selectedAccount(question, record.cache, place.clientId);
    if (!account && !question.appOnly && question.assertion === undefined) return undefined;
    const stored = record.index.find(matchFor(question, place, account));
    if (!stored) return undefined;
    const hit = this.#toHit(stored, { record, question, account });
    const hits = this.#hits.get(record) ?? new Map<string, Hit>();
    this.#hits.set(record, hits.set(question.id, hit));
    return hit;
  }

  #toHit(stored: StoredAccessToken, of: Pick<Hit, 'record' | 'question' | 'account'>): Hit {
    const { windows, serverClock } = this.#options;
    const schedule = scheduleOf(stored, windows, drawFor(stored.secret));
    return {
      ...of,
      ...schedule,
      softSecond: Math.floor(schedule.softAt / 1_000),
      result: toResult(stored, of.account, serverClock.offsetMs),
      secret: stored.secret,
    };
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
    this.#refresh(request, trigger, { record, signal: undefined, ignoreCooling: false }).catch(() => undefined);
  }

  async #refresh(
    request: TokenRequest,
    trigger: RefreshTrigger,
    options: SharedOptions & { readonly record: DecodedRecord | undefined; readonly ignoreCooling: boolean },
  ): Promise<{ result: AccessTokenResult; outcome: AcquireOutcome }> {
    const refusal = this.#refusal(request, options);
    if (refusal && !(await this.#isLifted(request, options.signal))) throw refusal;
    const { token, outcome } = await this.#shared(request, trigger, options);
    return {
      result: toResult(token, trigger.account ?? this.#accountOf(request, options.record), this.#options.serverClock.offsetMs),
      outcome,
    };
  }

  /**
   * Joins a refresh in flight, or begins one. One that began before was begun for another wish: its token may be the very one
   * that this caller was refused, or, where it was adopted, end too soon for it.
   */
  async #shared(
    request: TokenRequest,
    trigger: RefreshTrigger,
    { signal, refusedToken }: SharedOptions,
  ): Promise<{ readonly token: RefreshedToken['token']; readonly outcome: AcquireOutcome }> {
    for (;;) {
      const { result, joined } = this.#flights.run(request.leaseName, flightKey(request), () => this.#reported(request, trigger));
      const { token, outcome } = await abandonOn(result, signal);
      if (!joined) return { token, outcome };
      const serves = outcome === 'refreshed' ? token.secret !== refusedToken : this.#options.coordinator.mayAdopt(token, trigger);
      if (serves) return { token, outcome: 'coalesced' };
    }
  }

  #accountOf({ homeAccountId }: TokenRequest, record: DecodedRecord | undefined): AccountInfo | undefined {
    return homeAccountId === undefined ? undefined : record?.cache.getAccount({ homeAccountId });
  }

  /** Throttling binds everyone; a refusal is repeated only when insisted on; a passing failure only stops background work. */
  #refusal(
    request: TokenRequest,
    { record, ignoreCooling }: { record: DecodedRecord | undefined; ignoreCooling: boolean },
  ): Error | undefined {
    const cooling = this.#options.coordinator.cooling(request, record);
    if (cooling?.kind === 'throttled')
      throw new RefreshThrottledError('The authorization server asked to slow down; this request was not sent.', {
        cause: cooling.error,
        retryAfterMs: cooling.remainingMs,
      });
    return cooling?.kind === 'request-refused' && !ignoreCooling ? cooling.error : undefined;
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
      this.#report(request, { outcome, code, durationMs: this.#options.monotonic() - startedAt });
    try {
      const refreshed = await this.#options.coordinator.refresh(request, trigger);
      report(refreshed.outcome);
      return refreshed;
    } catch (error) {
      report(failureOutcome(error), TokenryError.is(error) ? error.code : undefined);
      throw error;
    }
  }

  #report(
    request: TokenRequest,
    end: { readonly outcome: RefreshOutcome; readonly durationMs: number; readonly code?: string | undefined },
  ): void {
    const { tokenKey, homeAccountId, grantType, scopes } = request;
    const { outcome, durationMs, code } = end;
    const event = { tokenKey, homeAccountId, grantType, scopes, outcome, durationMs };
    emit('refresh', () => (code === undefined ? event : { ...event, code }));
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

function failureOutcome(error: unknown): RefreshOutcome {
  if (RefreshThrottledError.is(error)) return 'throttled';
  if (InteractionRequiredError.is(error)) return error.retryable ? 'request-refused' : 'terminal';
  return SignInRequiredError.is(error) ? 'terminal' : 'failed';
}

/** `expiresAt` by our own clock, because callers compare it with that. */
function toResult(stored: StoredAccessToken, account: AccountInfo | undefined, offsetMs: number): AccessTokenResult {
  return Object.freeze({
    token: stored.secret,
    expiresAt: stored.expiresAt - offsetMs,
    ...(stored.refreshAt === undefined ? {} : { refreshAt: stored.refreshAt - offsetMs }),
    scopes: stored.scopes,
    ...(account === undefined ? {} : { account }),
  });
}
