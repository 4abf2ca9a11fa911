import { createHash } from 'node:crypto';
import { acquireLease, type Lease, type LeaseTiming } from '../backend/lease.js';
import type { DecodedRecord, RecordAccess } from '../backend/record-access.js';
import type { LeaseProvider, RefreshRequest } from '../backend/token-backend.js';
import { type Clock, sleep } from '../clock.js';
import { AccountRemovedError, NotAuthenticatedError, RefreshFailedError, TokenNotSavedError, TokenryError } from '../errors.js';
import { emit } from '../observability/events.js';
import type { Grant } from '../provider/grant.js';
import { TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { TokenProvider } from '../provider/token-provider.js';
import { AccessTokenIndex, type StoredAccessToken } from '../tokens/access-token-index.js';
import { TokenCache } from '../tokens/token-cache.js';
import { CoolDown, type Cooling } from './cool-down.js';
import { exchangeOnce } from './exchange.js';
import { isAdoptable, type RefreshWindows } from './policy.js';
import { refusalError } from './refusal.js';
import type { ServerClock } from './server-clock.js';
import type { RefreshStep } from './step.js';
import { flightKey, type RefreshTrigger, type TokenRequest } from './token-request.js';

/** Below this, a lease is too short to send a token call under it. */
const MIN_LEASE_MS = 5_000;
/** How often a backend may answer "somebody else refreshed" without a token turning up. */
const MAX_RELOADS = 3;
/** How long closing waits for them. */
const MAX_SAVE_WAIT_MS = 30_000;
/** How long a lease is kept for tokens that the store does not take. */
const MAX_PENDING_LEASE_MS = 300_000;

export interface RefreshDependencies {
  readonly provider: TokenProvider;
  readonly records: RecordAccess;
  readonly leases: LeaseProvider;
  readonly shouldRefresh: (request: RefreshRequest) => Promise<boolean | null>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly windows: RefreshWindows;
  readonly timing: LeaseTiming;
  /** How long a failed refresh is not repeated. */
  readonly coolDownMs: number;
  /** Refresh even when the lease store cannot be reached: only for servers whose old refresh tokens stay valid. */
  readonly refreshWithoutLease: boolean;
  /** Called at each named step; awaited. Absent: no cost. */
  readonly onStep?: (step: RefreshStep, request: TokenRequest) => void | Promise<void>;
}

export interface RefreshedToken {
  readonly token: StoredAccessToken;
  readonly outcome: 'refreshed' | 'adopted';
}

/** A lease that was granted, or the fact that this kind of call goes without one. */
type Permit = Pick<Lease, 'lost' | 'remainingMs' | 'release'>;
const WITHOUT_LEASE: Permit = { lost: false, remainingMs: () => Number.POSITIVE_INFINITY, release: async () => {} };

/**
 * Spends a refresh token at most once among all processes that share a record. Steps 3 to 9 of the design; the caller
 * ({@link AccessTokenSource}) does 1 and 2 and lets equal requests share one call.
 */
export class RefreshCoordinator {
  readonly #deps: RefreshDependencies;
  readonly #coolDown: CoolDown;
  readonly #unsaved = new Map<Promise<void>, string>();

  constructor(dependencies: RefreshDependencies) {
    this.#deps = dependencies;
    this.#coolDown = new CoolDown(dependencies.clock);
  }

  /** The failure that this request must not repeat yet. A new refresh token ends a refusal at once. */
  cooling(request: TokenRequest, record: DecodedRecord | undefined): (Cooling & { readonly remainingMs: number }) | undefined {
    const key = flightKey(request);
    const entry = this.#coolDown.get(key);
    if (!entry) return undefined;
    if (entry.refreshTokenDigest !== undefined && entry.refreshTokenDigest !== digest(refreshTokenIn(record?.cache, request))) {
      this.#coolDown.clear(key);
      return undefined;
    }
    return { ...entry, remainingMs: this.#coolDown.remainingMs(entry) };
  }

  /**
   * Resolves when every token that was obtained is in the store.
   * @throws TokenNotSavedError after {@link MAX_SAVE_WAIT_MS}, or when the backend was closed before.
   */
  async saved(): Promise<void> {
    if (this.#unsaved.size === 0) return;
    const tokenKeys = [...new Set(this.#unsaved.values())];
    const late = sleep(this.#deps.clock, MAX_SAVE_WAIT_MS, { hold: true }).then(() => {
      throw new TokenNotSavedError('The store did not take the newest tokens in time; they end with this process.', {
        tokenKeys,
      });
    });
    await Promise.race([Promise.all(this.#unsaved.keys()), late]);
  }

  /** Obtains a token for `request`: from whoever refreshed first, or by refreshing. */
  async refresh(request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken> {
    for (let reloads = 0; reloads < MAX_RELOADS; reloads++) {
      if ((await this.#deps.shouldRefresh(this.#question(request, trigger))) === true) break;
      const token = await this.#reload(request, trigger);
      if (token) return { token, outcome: 'adopted' };
    }
    return this.#underLease(request, trigger);
  }

  #question(request: TokenRequest, trigger: RefreshTrigger): RefreshRequest {
    return {
      tokenKey: request.tokenKey,
      account: trigger.account,
      tokenIsExpired: trigger.expired,
      reload: async () => (await this.#reload(request, trigger)) !== undefined,
      refresh: async () => {
        await this.#underLease(request, trigger);
      },
    };
  }

  async #reload(request: TokenRequest, trigger: RefreshTrigger): Promise<StoredAccessToken | undefined> {
    return this.#adoptable(await this.#deps.records.fresh(request.tokenKey), request, trigger);
  }

  #adoptable(record: DecodedRecord | undefined, request: TokenRequest, trigger: RefreshTrigger): StoredAccessToken | undefined {
    const token = record?.index.find(request.match);
    if (!token || token.secret === trigger.secret || trigger.adoptNothing) return undefined;
    return isAdoptable(token, this.#deps.windows, this.#deps.serverClock.now()) ? token : undefined;
  }

  // ── step 4 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #underLease(request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken> {
    for (;;) {
      await this.#step('before-lease', request);
      const granted = await this.#lease(request, trigger);
      if ('adopted' in granted) return { token: granted.adopted, outcome: 'adopted' };
      const result = await this.#holding(granted.lease, request, trigger);
      if (result !== 'lease-too-short') return result;
    }
  }

  async #lease(request: TokenRequest, trigger: RefreshTrigger): Promise<{ lease: Permit } | { adopted: StoredAccessToken }> {
    if (request.assertion !== undefined) return { lease: WITHOUT_LEASE };
    const { leases, timing, clock } = this.#deps;
    try {
      return await acquireLease(leases, request.leaseName, {
        timing,
        clock,
        whileWaiting: () => this.#reload(request, trigger),
      });
    } catch (error) {
      if (!this.#mayGoWithoutLease(request, error)) throw error;
      emit('fault', () => ({ operation: 'lease', tokenKey: request.tokenKey, code: codeOf(error) }));
      return { lease: WITHOUT_LEASE };
    }
  }

  // An app-only call spends nothing that another process needs; a refresh token call may.
  #mayGoWithoutLease(request: TokenRequest, error: unknown): boolean {
    const unreachable =
      TokenryError.is(error) && error.code !== 'TOKENRY_LEASE_TIMEOUT' && error.code.startsWith('TOKENRY_BACKEND_');
    return unreachable && (request.grantType === 'client_credentials' || this.#deps.refreshWithoutLease);
  }

  // ── steps 5 to 9 ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #holding(lease: Permit, request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken | 'lease-too-short'> {
    let unsaved: Promise<void> | undefined;
    try {
      await this.#step('lease-held', request);
      const spent = await this.#spend(lease, request, trigger);
      if (spent === 'lease-too-short') return spent;
      unsaved = spent.unsaved;
      await this.#step('before-release', request);
      return spent;
    } finally {
      if (unsaved) this.#releaseLater(lease, unsaved, request);
      else await this.#release(lease, request);
    }
  }

  async #spend(
    lease: Permit,
    request: TokenRequest,
    trigger: RefreshTrigger,
  ): Promise<(RefreshedToken & { readonly unsaved?: Promise<void> | undefined }) | 'lease-too-short'> {
    let record = await this.#readFresh(request);
    const adopted = this.#adoptable(record, request, trigger);
    if (adopted) return { token: adopted, outcome: 'adopted' };
    for (let attempt = 1; ; attempt++) {
      const slice = this.#slice(record, request);
      const sent = refreshTokenIn(slice, request);
      if (lease.lost || lease.remainingMs() <= MIN_LEASE_MS) return 'lease-too-short';
      try {
        await this.#step('before-send', request);
        await exchangeOnce(this.#deps.provider, grantOf(request), slice, this.#context(request), lease);
      } catch (error) {
        if (!TokenEndpointError.is(error)) throw this.#unanswered(error, request);
        record = await this.#deps.records.fresh(request.tokenKey);
        if (attempt === 1 && this.#wasReplaced(error, sent, record, request)) continue;
        throw await this.#refused(error, sent, request);
      }
      await this.#step('answered', request);
      this.#learn(slice);
      return this.#save(slice, sent, request);
    }
  }

  async #readFresh(request: TokenRequest): Promise<DecodedRecord | undefined> {
    try {
      return await this.#deps.records.fresh(request.tokenKey);
    } catch (error) {
      // Without a record an app-only call still works; a refresh token has to be read first.
      if (request.grantType !== 'client_credentials' || !TokenryError.is(error)) throw error;
      emit('fault', () => ({ operation: 'read', tokenKey: request.tokenKey, code: codeOf(error) }));
      return undefined;
    }
  }

  #slice(record: DecodedRecord | undefined, request: TokenRequest): TokenCache {
    const { provider, clock } = this.#deps;
    const cache = record?.cache ?? new TokenCache();
    if (request.grantType === 'refresh_token') this.#requireRefreshToken(record, request);
    return cache.slice({
      ...(request.homeAccountId === undefined ? {} : { homeAccountId: request.homeAccountId }),
      ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
      clientId: provider.clientId,
      environment: provider.environments[0] ?? provider.issuer,
      now: () => clock.now(),
    });
  }

  #requireRefreshToken(record: DecodedRecord | undefined, request: TokenRequest): void {
    const { homeAccountId } = request;
    if (homeAccountId === undefined || !record?.cache.getAccount({ homeAccountId }))
      throw new AccountRemovedError('The account was signed out while a token was being obtained for it.');
    if (refreshTokenIn(record.cache, request) === undefined)
      throw new NotAuthenticatedError('The account has no refresh token for this application; it must sign in again.', {
        hint: 'A refresh token is issued with the scope offline_access, which is asked for by default, and is removed when the server refuses it.',
      });
  }

  #context(request: TokenRequest) {
    const { fetch, clock } = this.#deps;
    return {
      scopes: request.scopes,
      fetch,
      clock,
      ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
      ...(request.claims === undefined ? {} : { claims: request.claims }),
    };
  }

  #learn(slice: TokenCache): void {
    if (slice.serverNow !== undefined) this.#deps.serverClock.learn(slice.serverNow);
  }

  // ── step 7 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #save(slice: TokenCache, sent: string | undefined, request: TokenRequest) {
    const token = new AccessTokenIndex(slice).find(request.match);
    if (!token) throw new RefreshFailedError('The authorization server answered without a token for the scopes asked for.');
    let outcome: 'applied' | 'yielded' | 'account-gone' = 'applied';
    const { saved, settled } = await this.#deps.records.commit(request.tokenKey, (cache) => {
      outcome = cache.applyRefresh(slice, sent === undefined ? {} : { spent: sent });
    });
    if ((outcome as string) === 'account-gone')
      throw new AccountRemovedError('The account was signed out while its token was being refreshed.');
    this.#coolDown.clear(flightKey(request));
    await this.#step('saved', request);
    return { token, outcome: 'refreshed' as const, unsaved: saved ? undefined : settled };
  }

  // ── step 8 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #wasReplaced(
    error: TokenEndpointError,
    sent: string | undefined,
    record: DecodedRecord | undefined,
    request: TokenRequest,
  ): boolean {
    if (error.error !== 'invalid_grant' || request.grantType !== 'refresh_token') return false;
    const stored = refreshTokenIn(record?.cache, request);
    return stored !== undefined && stored !== sent;
  }

  async #refused(refusal: TokenEndpointError, sent: string | undefined, request: TokenRequest): Promise<TokenryError> {
    const { provider, records, coolDownMs } = this.#deps;
    const classification = provider.classify(refusal);
    const error = refusalError(refusal, classification, request.grantType);
    if (classification.kind === 'token-refused') {
      if (sent !== undefined) await records.commit(request.tokenKey, (cache) => void cache.removeRefreshToken(sent));
      return error;
    }
    const kind = classification.kind;
    const refreshTokenDigest = kind === 'request-refused' ? digest(sent) : undefined;
    const forMs = kind === 'throttled' ? (refusal.retryAfterMs ?? coolDownMs) : coolDownMs;
    this.#coolDown.set(flightKey(request), { kind, error, refreshTokenDigest }, forMs);
    return error;
  }

  /** The server may have rotated the refresh token without our hearing of it: the next attempt shows. */
  #unanswered(cause: unknown, request: TokenRequest): Error {
    if (cause instanceof TypeError && 'code' in cause && String(cause.code).startsWith('TOKENRY_')) return cause;
    const error = TokenryError.is(cause)
      ? cause
      : new RefreshFailedError('The authorization server could not be reached, or did not answer.', { cause });
    this.#coolDown.set(flightKey(request), { kind: 'transient', error, refreshTokenDigest: undefined }, this.#deps.coolDownMs);
    return error;
  }

  // ── step 9 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #releaseLater(lease: Permit, unsaved: Promise<void>, request: TokenRequest): void {
    const limit = setTimeout(() => void this.#release(lease, request), MAX_PENDING_LEASE_MS);
    limit.unref();
    this.#unsaved.set(unsaved, request.tokenKey);
    const done = () => {
      clearTimeout(limit);
      this.#unsaved.delete(unsaved);
      return this.#release(lease, request);
    };
    void unsaved.then(done, done);
  }

  // A lease that cannot be released ends by itself; the token is already there.
  async #release(lease: Permit, request: TokenRequest): Promise<void> {
    try {
      await lease.release();
      await this.#step('released', request);
    } catch (error) {
      emit('fault', () => ({ operation: 'lease', tokenKey: request.tokenKey, code: codeOf(error) }));
    }
  }

  #step(step: RefreshStep, request: TokenRequest): void | Promise<void> {
    return this.#deps.onStep?.(step, request);
  }
}

function grantOf(request: TokenRequest): Grant {
  if (request.assertion !== undefined)
    return { grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: request.assertion };
  if (request.homeAccountId === undefined) return { grantType: 'client_credentials' };
  return { grantType: 'refresh_token', homeAccountId: request.homeAccountId };
}

function refreshTokenIn(cache: TokenCache | undefined, request: TokenRequest): string | undefined {
  if (!cache || request.homeAccountId === undefined) return undefined;
  return cache.getRefreshToken({ homeAccountId: request.homeAccountId, clientId: request.match.clientId })?.secret;
}

function digest(secret: string | undefined): string | undefined {
  return secret === undefined ? undefined : createHash('sha256').update(secret).digest('base64url');
}

function codeOf(error: unknown): string {
  return TokenryError.is(error) ? error.code : 'TOKENRY_UNKNOWN';
}
