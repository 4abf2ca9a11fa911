import { systemClock } from '../clock.js';
import { defined } from '../defined.js';
import { invalidArgument } from '../options.js';
import { withRefresh, withSignIn } from './apply-result.js';
import { readRecord } from './canonical-record.js';
import { claimsOf } from './id-token-claims.js';
import { legacyRefreshToken } from './legacy-token.js';
import { pythonRecord } from './python-export.js';
import { hasTokens, isSameState, withMarkedSignIn, withoutAccount, withoutRefreshToken } from './record-changes.js';
import { EMPTY_STATE, type RecordState } from './record-state.js';
import type { AccessTokenEntity, AccountInfo, AddedTokens, StoredAccessToken, TokenEvent, TokenQuery } from './schema.js';
import { type SliceOptions, sliceOf } from './slice.js';
import { addAnswer, isSignIn } from './token-event.js';
import { findAccessToken, findAccount, findAccounts, findIdToken, findRefreshToken, findScopes } from './token-queries.js';
import { instant, seconds } from './token-times.js';
import { AccessTokenView, IdTokenView, SecretView } from './token-views.js';
import { recordText, withoutEnded } from './write-record.js';

export type { SliceOptions } from './slice.js';

/** What became of a refresh: stored; outdone by a newer refresh token; or its account was removed meanwhile. */
export type RefreshApplied = 'applied' | 'yielded' | 'account-gone';

/** What the last event was about; the answer itself is not kept. */
interface LastAdded {
  readonly at: number;
  readonly homeAccountId: string | null;
  readonly serverNow: number | undefined;
  readonly accessToken: AccessTokenEntity | undefined;
}

/**
 * A decoded record: accounts and tokens in the MSAL unified schema, as python-o365, MSAL Python and msal-node read it.
 * Synchronous and without I/O. Entities are frozen and shared, so a clone costs microseconds.
 *
 * @example
 * ```ts
 * const cache = TokenCache.deserialize(await readFile('o365_token.txt'));
 * for (const account of cache.getAccounts()) console.log(account.username, cache.tokenIsLongLived(account));
 * ```
 */
export class TokenCache {
  #state: RecordState = EMPTY_STATE;
  #base: RecordState | undefined;
  #slice: SliceOptions | undefined;
  #last: LastAdded | undefined;
  /** Server's clock minus ours, as an answer showed it. */
  #clockOffsetMs = 0;

  /**
   * Reads a stored record and brings foreign ones into canonical form. A python-o365 2.0 file is read as a record without
   * accounts: see {@link legacyRefreshToken}.
   * @throws RecordCorruptError for anything else, empty input included: absence is not a record.
   */
  static deserialize(state: string | Uint8Array): TokenCache {
    const read = readRecord(state);
    return TokenCache.fromState(read, read);
  }

  /** @internal */
  static fromState(state: RecordState, base: RecordState | undefined): TokenCache {
    const cache = new TokenCache();
    cache.#state = state;
    cache.#base = base;
    return cache;
  }

  /**
   * The stored form. With `now` (epoch ms by our clock) access tokens that ended by then are left out; the clock offset
   * that this cache learned from an answer is taken into account.
   */
  serialize({ now }: { readonly now?: number } = {}): string {
    return recordText(this.#lasting(now));
  }

  /** @internal What {@link serialize} writes, and the cache that reading it would give, which need not be read for that. */
  written(now: number): { readonly text: string; readonly cache: TokenCache } {
    const state = this.#lasting(now);
    return { text: recordText(state), cache: TokenCache.fromState(state, state) };
  }

  #lasting(now: number | undefined): RecordState {
    return now === undefined ? this.#state : withoutEnded(this.#state, now + this.#clockOffsetMs);
  }

  /** The record as a python-o365 2.1 token file. */
  exportForPython(): string {
    return JSON.stringify(pythonRecord(this.#state), null, 4);
  }

  /** A private copy with the same base. */
  clone(): TokenCache {
    const copy = TokenCache.fromState(this.#state, this.#base);
    copy.#slice = this.#slice;
    copy.#last = this.#last;
    copy.#clockOffsetMs = this.#clockOffsetMs;
    return copy;
  }

  /** @internal Immutable content. */
  get state(): RecordState {
    return this.#state;
  }

  /** What this cache was read as, the first argument of `mergeTokenCaches`; `undefined`: it was never loaded. */
  get base(): TokenCache | undefined {
    return this.#base && TokenCache.fromState(this.#base, this.#base);
  }

  /** After a save: content and base become those of `saved`, so that saving again writes only what changes from here. */
  rebase(saved: TokenCache): void {
    this.#state = saved.#state;
    this.#base = saved.#state;
  }

  /** An isolated cache with the entities of one account and client; `add` on it fills in what an event does not say. */
  slice(of: SliceOptions): TokenCache {
    const state = sliceOf(this.#state, of);
    const slice = TokenCache.fromState(state, state);
    slice.#slice = Object.freeze({ ...of });
    return slice;
  }

  /** Takes over a sign-in: always replaces. Applying the same result again changes nothing. */
  applySignIn(result: TokenCache): void {
    const at = result.#last?.at ?? systemClock.now();
    this.#state = withSignIn(this.#state, { before: result.#slice && result.#base, after: result.#state }, at);
    this.#clockOffsetMs = result.#clockOffsetMs;
  }

  /**
   * Takes over a refresh, unless the stored refresh token is neither the one that was `spent` nor the one it brought.
   * Tokens of the program itself and on-behalf-of tokens need no account.
   */
  applyRefresh(result: TokenCache, { spent }: { readonly spent?: string } = {}): RefreshApplied {
    const applied = withRefresh(this.#state, { before: result.#slice && result.#base, after: result.#state }, spent);
    if (typeof applied === 'string') return applied;
    this.#state = applied;
    this.#clockOffsetMs = result.#clockOffsetMs;
    return 'applied';
  }

  /** Removes a refresh token that the server refused, if it is still stored; also that of a python-o365 2.0 file. */
  removeRefreshToken(secret: string): boolean {
    return this.#change(withoutRefreshToken(this.#state, secret));
  }

  /** Whether there is an account or a token. */
  get hasData(): boolean {
    return hasTokens(this.#state);
  }

  /** Whether the content differs from what was loaded. */
  get hasStateChanged(): boolean {
    return !isSameState(this.#state, this.#base ?? EMPTY_STATE);
  }

  /** What the last `add` stored here. */
  get lastAdded(): AddedTokens | undefined {
    if (!this.#last) return undefined;
    const { homeAccountId, accessToken } = this.#last;
    const added = { homeAccountId, clockOffsetMs: this.#clockOffsetMs };
    return accessToken
      ? { ...added, accessToken: new AccessTokenView(accessToken, seconds(accessToken.expires_on) ?? 0) }
      : added;
  }

  /** The server's time (epoch ms) as the last event gave it. */
  get serverNow(): number | undefined {
    return this.#last?.serverNow;
  }

  /**
   * Refresh token of a python-o365 2.0 file. Exchange it, `applySignIn` the answer, then `removeRefreshToken` it; until
   * then the file's fields are kept as they are.
   */
  get legacyRefreshToken(): { readonly secret: string; readonly scopes: readonly string[] } | undefined {
    return legacyRefreshToken(this.#state.extra);
  }

  /** All accounts, or those of one user name. */
  getAccounts(query: { readonly username?: string } = {}): readonly AccountInfo[] {
    return findAccounts(this.#state, query.username);
  }

  /**
   * One account; without a name the only one.
   * @throws AmbiguousAccountError when several fit; TypeError when both names are given.
   */
  getAccount(query: { readonly username?: string; readonly homeAccountId?: string } = {}): AccountInfo | undefined {
    if (query.username !== undefined && query.homeAccountId !== undefined)
      throw invalidArgument('TokenCache.getAccount: give homeAccountId or username, not both.');
    return findAccount(this.#state, query);
  }

  /**
   * The newest access token that fits, expired or not; on-behalf-of tokens are left to their own requests.
   * @throws AmbiguousAccountError when several accounts fit.
   */
  getAccessToken(query: TokenQuery = {}): StoredAccessToken | undefined {
    const match = findAccessToken(this.#state, query);
    return match && new AccessTokenView(match.token, match.servesUntil);
  }

  /** @throws AmbiguousAccountError when several accounts fit. */
  getRefreshToken(query: TokenQuery = {}): { readonly secret: string } | undefined {
    const token = findRefreshToken(this.#state, query);
    return token && Object.freeze(new SecretView(token.secret));
  }

  /** @throws AmbiguousAccountError when several accounts fit. */
  getIdToken(
    query: TokenQuery = {},
  ): { readonly secret: string; readonly claims: Readonly<Record<string, unknown>> } | undefined {
    const token = findIdToken(this.#state, query);
    return token && new IdTokenView(token, claimsOf(token.secret));
  }

  /** Granted scopes: those of the refresh token where they are known, else of the access token. */
  getTokenScopes(query: TokenQuery & { readonly removeReserved?: boolean } = {}): readonly string[] | undefined {
    return findScopes(this.#state, query, query.removeReserved ?? false);
  }

  /** When the access token ends, in epoch milliseconds. */
  tokenExpiresAt(query: TokenQuery = {}): number | undefined {
    const match = findAccessToken(this.#state, query);
    return match && instant(match.servesUntil);
  }

  /** Whether there is no access token that lasts beyond `now` (epoch ms). @default now the machine's clock */
  tokenIsExpired(query: TokenQuery & { readonly now?: number } = {}): boolean {
    const expiresAt = this.tokenExpiresAt(query);
    return expiresAt === undefined || expiresAt <= (query.now ?? this.#now());
  }

  /** Whether there is a refresh token. */
  tokenIsLongLived(query: TokenQuery = {}): boolean {
    return findRefreshToken(this.#state, query) !== undefined;
  }

  /**
   * Stores what a token endpoint answered.
   * @throws TokenEndpointError when it refused; RefreshFailedError when the answer holds no token; TypeError when the
   * event says neither client nor environment and this is no slice.
   */
  add(event: TokenEvent): void {
    const now = event.now ?? this.#now();
    const { state, issue } = addAnswer(this.#state, this.#slice ? filledIn(event, this.#slice) : event, now);
    this.#state = !this.#slice && isSignIn(issue) ? withMarkedSignIn(state, issue, now) : state;
    this.#clockOffsetMs = issue.answer.clockOffsetMs;
    this.#last = {
      at: now,
      homeAccountId: issue.identity.homeAccountId,
      serverNow: event.serverNow,
      accessToken: issue.accessToken,
    };
  }

  /**
   * Removes an account with all its tokens, whichever client and server name they are filed under. What is known about
   * applications stays.
   * @returns whether anything was there.
   * @throws AmbiguousAccountError when several accounts share the user name; TypeError when the account is not named.
   */
  removeAccount(query: { readonly username?: string; readonly homeAccountId?: string }): boolean {
    if (query.username === undefined && !query.homeAccountId)
      throw invalidArgument('TokenCache.removeAccount: name the account by homeAccountId or username.');
    return this.#change(withoutAccount(this.#state, query));
  }

  #change(state: RecordState): boolean {
    const changed = state !== this.#state;
    this.#state = state;
    return changed;
  }

  #now(): number {
    return this.#slice?.now() ?? systemClock.now();
  }
}

/** The event, with what its slice knows where it says nothing itself. */
function filledIn(event: TokenEvent, { environment, clientId, tenantId, homeAccountId }: SliceOptions): TokenEvent {
  return { ...defined({ environment, clientId, tenantId, homeAccountId }), ...defined(event) } as TokenEvent;
}
