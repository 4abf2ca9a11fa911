import type { LeaseTiming } from '../backend/lease.js';
import type { DecodedRecord, RecordAccess } from '../backend/record-access.js';
import type { LeaseProvider, RefreshRequest } from '../backend/token-backend.js';
import type { Clock } from '../clock.js';
import { AccountRemovedError, RefreshFailedError, TokenryError } from '../errors.js';
import { emit } from '../observability/events.js';
import { TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { TokenProvider } from '../provider/token-provider.js';
import { AccessTokenIndex, type StoredAccessToken } from '../tokens/access-token-index.js';
import type { TokenCache } from '../tokens/token-cache.js';
import { CoolDown, type Cooling } from './cool-down.js';
import { exchangeOnce } from './exchange.js';
import { faultCode, type Permit, permitFor } from './permit.js';
import { isAdoptable, type RefreshWindows } from './policy.js';
import { isAboutToken, isSuperseded, refusalError } from './refusal.js';
import { sliceFor } from './request-slice.js';
import { leasesTooShort, MAX_LEASES, sendingRight } from './sending-right.js';
import type { ServerClock } from './server-clock.js';
import type { RefreshStep } from './step.js';
import {
  flightKey,
  grantOf,
  type RefreshTrigger,
  refreshTokenDigest,
  refreshTokenIn,
  type TokenRequest,
} from './token-request.js';
import { UnsavedTokens } from './unsaved-tokens.js';

/** A token issued so recently is as good as the next one would be, whatever lifetime was asked for. */
const JUST_ISSUED_MS = 30_000;
/** How often a backend may answer "somebody else refreshed" without a token turning up. */
const MAX_RELOADS = 3;

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

/** Tokens of one refresh that are not in the store yet. */
interface Pending {
  unsaved: Promise<void> | undefined;
}

interface Spending {
  readonly lease: Permit;
  readonly request: TokenRequest;
  readonly trigger: RefreshTrigger;
  readonly pending: Pending;
}

interface Saving {
  readonly slice: TokenCache;
  /** The refresh token that was sent. */
  readonly sent: string | undefined;
  readonly request: TokenRequest;
  readonly pending: Pending;
}

/**
 * Spends a refresh token at most once among all processes that share a record. Steps 3 to 9 of the design; the caller
 * ({@link AccessTokenSource}) does 1 and 2 and lets equal requests share one call.
 */
export class RefreshCoordinator {
  readonly #deps: RefreshDependencies;
  readonly #coolDown: CoolDown;
  /** Keeps the leases of tokens that are not saved yet, also of those that came in other ways than by a refresh. */
  readonly unsaved: UnsavedTokens;

  constructor(dependencies: RefreshDependencies) {
    this.#deps = dependencies;
    this.#coolDown = new CoolDown(dependencies.clock);
    this.unsaved = new UnsavedTokens(dependencies.clock);
  }

  /** The failure that this request must not repeat yet. A new refresh token ends a refusal at once. */
  cooling(request: TokenRequest, record: DecodedRecord | undefined): (Cooling & { readonly remainingMs: number }) | undefined {
    const key = flightKey(request);
    const entry = this.#coolDown.get(key);
    if (!entry) return undefined;
    if (
      entry.refreshTokenDigest !== undefined &&
      entry.refreshTokenDigest !== refreshTokenDigest(refreshTokenIn(record?.cache, request))
    ) {
      this.#coolDown.clear(key);
      return undefined;
    }
    return { ...entry, remainingMs: this.#coolDown.remainingMs(entry) };
  }

  /**
   * Resolves when every token that was obtained is in the store.
   * @throws TokenNotSavedError after 30 s, or when the backend was closed before.
   */
  saved(): Promise<void> {
    return this.unsaved.saved();
  }

  /** Obtains a token for `request`: from whoever refreshed first, or by refreshing. */
  async refresh(request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken> {
    for (let reloads = 0; reloads < MAX_RELOADS; reloads++) {
      const inHook: { refreshed?: RefreshedToken } = {};
      const wanted = await this.#deps.shouldRefresh(this.#question(request, trigger, inHook));
      if (inHook.refreshed) return inHook.refreshed;
      if (wanted === true) break;
      const token = await this.#reload(request, trigger);
      if (token) return { token, outcome: 'adopted' };
    }
    return this.#underLease(request, trigger);
  }

  #question(request: TokenRequest, trigger: RefreshTrigger, inHook: { refreshed?: RefreshedToken }): RefreshRequest {
    return {
      tokenKey: request.tokenKey,
      account: trigger.account,
      tokenIsExpired: trigger.expired,
      reload: async () => (await this.#reload(request, trigger)) !== undefined,
      refresh: async () => {
        inHook.refreshed ??= await this.#underLease(request, trigger);
      },
    };
  }

  async #reload(request: TokenRequest, trigger: RefreshTrigger): Promise<StoredAccessToken | undefined> {
    return this.#adoptable(await this.#deps.records.fresh(request.tokenKey), request, trigger);
  }

  #adoptable(record: DecodedRecord | undefined, request: TokenRequest, trigger: RefreshTrigger): StoredAccessToken | undefined {
    const token = record?.index.find(request.match);
    return token && this.mayAdopt(token, trigger) ? token : undefined;
  }

  /** Whether a token that somebody else obtained answers the wish behind `trigger`. */
  mayAdopt(token: StoredAccessToken, trigger: RefreshTrigger): boolean {
    if (token.secret === trigger.secret || trigger.adoptNothing) return false;
    const serverNow = this.#deps.serverClock.now();
    const isTooOld = serverNow - token.cachedAt > JUST_ISSUED_MS && token.expiresAt - serverNow <= trigger.minimumLifetimeMs;
    return !isTooOld && isAdoptable(token, this.#deps.windows, serverNow);
  }

  // ── step 4 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #underLease(request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken> {
    for (let attempt = 1; attempt <= MAX_LEASES; attempt++) {
      await this.#step('before-lease', request);
      const granted = await permitFor(request, { ...this.#deps, whileWaiting: () => this.#reload(request, trigger) });
      if ('adopted' in granted) return { token: granted.adopted, outcome: 'adopted' };
      const result = await this.#holding(granted.lease, request, trigger);
      if (result !== 'lease-too-short') return result;
    }
    throw leasesTooShort();
  }

  // ── steps 5 to 9 ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #holding(lease: Permit, request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken | 'lease-too-short'> {
    const pending: Pending = { unsaved: undefined };
    try {
      await this.#step('lease-held', request);
      const spent = await this.#spend({ lease, request, trigger, pending });
      if (spent === 'lease-too-short') return spent;
      await this.#step('before-release', request);
      return spent;
    } finally {
      const release = () => this.#release(lease, request);
      const { unsaved } = pending;
      if (unsaved) this.unsaved.keep({ tokenKey: request.tokenKey, settled: unsaved, release });
      else await release();
    }
  }

  async #spend({ lease, request, trigger, pending }: Spending): Promise<RefreshedToken | 'lease-too-short'> {
    let record = await this.#readFresh(request);
    for (let attempt = 1; ; attempt++) {
      const adopted = this.#adoptable(record, request, trigger);
      if (adopted) return { token: adopted, outcome: 'adopted' };
      const slice = sliceFor(request, record, this.#deps);
      const sent = refreshTokenIn(slice, request);
      await this.#step('before-send', request);
      const right = sendingRight(lease, this.#deps.timing);
      if (!right.lasts(0)) return 'lease-too-short';
      try {
        const wasSent = await exchangeOnce(this.#deps.provider, grantOf(request), slice, this.#context(request), right);
        if (!wasSent) return 'lease-too-short';
      } catch (error) {
        if (!TokenEndpointError.is(error)) return this.#unanswered(error, request, trigger);
        if (attempt === 1 && isAboutToken(error, request)) record = await this.#deps.records.fresh(request.tokenKey);
        if (attempt === 1 && isSuperseded(record, sent, request)) continue;
        throw await this.#refused(error, sent, request);
      }
      await this.#step('answered', request);
      this.#deps.serverClock.learn(slice);
      return this.#save({ slice, sent, request, pending });
    }
  }

  async #readFresh(request: TokenRequest): Promise<DecodedRecord | undefined> {
    try {
      return await this.#deps.records.fresh(request.tokenKey);
    } catch (error) {
      // Without a record an app-only call still works; a refresh token has to be read first.
      if (request.grantType !== 'client_credentials' || !TokenryError.is(error)) throw error;
      emit('fault', () => ({ operation: 'read', tokenKey: request.tokenKey, code: faultCode(error) }));
      return undefined;
    }
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

  // ── step 7 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #save({ slice, sent, request, pending }: Saving): Promise<RefreshedToken> {
    let outcome: 'applied' | 'yielded' | 'account-gone' = 'applied';
    const { saved, settled } = await this.#deps.records.commit(request.tokenKey, (cache) => {
      outcome = cache.applyRefresh(slice, sent === undefined ? {} : { spent: sent });
    });
    if ((outcome as string) === 'account-gone')
      throw new AccountRemovedError('The account was signed out while its token was being refreshed.');
    // From here on the lease is kept until they are saved, whatever else fails: what they replaced is spent.
    if (!saved) pending.unsaved = settled;
    this.#coolDown.clear(flightKey(request));
    await this.#step('saved', request);
    // Looked for after the save: whatever the access token is for, the refresh token that came with it is spent for good.
    const token = new AccessTokenIndex(slice).find(request.match);
    if (!token) throw new RefreshFailedError('The authorization server answered without a token for the scopes asked for.');
    return { token, outcome: 'refreshed' };
  }

  // ── step 8 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #refused(refusal: TokenEndpointError, sent: string | undefined, request: TokenRequest): Promise<TokenryError> {
    const { provider, records, coolDownMs } = this.#deps;
    const classification = provider.classify(refusal);
    const error = refusalError(refusal, classification, request.grantType);
    if (classification.kind === 'token-refused' && sent !== undefined) {
      await records.commit(request.tokenKey, (cache) => void cache.removeRefreshToken(sent));
      return error;
    }
    // What a program without a refresh token sent is refused again until somebody changes its credentials.
    const kind = classification.kind === 'token-refused' ? 'request-refused' : classification.kind;
    const digest = kind === 'request-refused' ? refreshTokenDigest(sent) : undefined;
    const forMs = kind === 'throttled' ? (refusal.retryAfterMs ?? coolDownMs) : coolDownMs;
    this.#coolDown.set(flightKey(request), { kind, error, refreshTokenDigest: digest }, forMs);
    return error;
  }

  /** The server may have rotated the refresh token without our hearing of it: the next attempt shows. */
  async #unanswered(cause: unknown, request: TokenRequest, trigger: RefreshTrigger): Promise<RefreshedToken> {
    if (cause instanceof TypeError && 'code' in cause && String(cause.code).startsWith('TOKENRY_')) throw cause;
    const error = TokenryError.is(cause)
      ? cause
      : new RefreshFailedError('The authorization server could not be reached, or did not answer.', { cause });
    this.#coolDown.set(flightKey(request), { kind: 'transient', error, refreshTokenDigest: undefined }, this.#deps.coolDownMs);
    const token = await this.#reload(request, trigger).catch(() => undefined);
    if (token) return { token, outcome: 'adopted' };
    throw error;
  }

  // ── step 9 ────────────────────────────────────────────────────────────────────────────────────────────────────────

  // A lease that cannot be released ends by itself; the token is already there.
  async #release(lease: Permit, request: TokenRequest): Promise<void> {
    try {
      await lease.release();
      await this.#step('released', request);
    } catch (error) {
      emit('fault', () => ({ operation: 'lease', tokenKey: request.tokenKey, code: faultCode(error) }));
    }
  }

  #step(step: RefreshStep, request: TokenRequest): void | Promise<void> {
    return this.#deps.onStep?.(step, request);
  }
}
