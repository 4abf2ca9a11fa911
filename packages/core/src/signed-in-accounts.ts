import type { AccountEngine, Selection } from './account-engine.js';
import type { DecodedRecord } from './backend/record-access.js';
import { sufficientRecord } from './backend/sufficient-record.js';
import { CapabilityError } from './errors.js';
import { emit } from './observability/events.js';
import { ownAccounts, selectedAccount } from './refresh/question.js';
import type { AccountInfo } from './tokens/schema.js';
import type { TokenCache } from './tokens/token-cache.js';

/** Answers who is signed in under one token key, by what is stored, and signs out. */
export class SignedInAccounts {
  readonly #engine: AccountEngine;
  readonly #tokenKey: string;

  constructor(engine: AccountEngine, tokenKey: string) {
    this.#engine = engine;
    this.#tokenKey = tokenKey;
  }

  async isAuthenticated(selection: Selection): Promise<boolean> {
    const { isAppOnly, provider, source } = this.#engine;
    if (this.#engine.credentials.kind === 'access-token') return true;
    const question = this.#engine.question(selection);
    if (isAppOnly) return source.holds(this.#tokenKey, question);
    const isSignedIn = ({ cache }: DecodedRecord) => {
      if (cache.legacyRefreshToken && cache.getAccounts().length === 0) return true;
      const account = selectedAccount(question, cache, provider.clientId);
      return account !== undefined && this.#canHaveTokens(cache, account);
    };
    const record = await this.#record(isSignedIn);
    return record !== undefined && isSignedIn(record);
  }

  async list(query: { readonly username?: string }): Promise<readonly AccountInfo[]> {
    const accountsIn = ({ cache }: DecodedRecord) => ownAccounts(cache, this.#engine.provider.clientId, query);
    const record = await this.#record((one) => accountsIn(one).length > 0);
    return record ? accountsIn(record) : [];
  }

  async authenticatedUsernames(): Promise<readonly string[]> {
    const accountsIn = ({ cache }: DecodedRecord) =>
      ownAccounts(cache, this.#engine.provider.clientId).filter((account) => this.#canHaveTokens(cache, account));
    const record = await this.#record((one) => accountsIn(one).length > 0);
    return record ? accountsIn(record).map((account) => account.username) : [];
  }

  /** The selected account's user name, if its record is in memory; no I/O. */
  usernameInMemory(selection: Selection): string | undefined {
    const cache = this.#engine.records.peek(this.#tokenKey)?.cache;
    if (!cache) return undefined;
    if (selection.homeAccountId !== undefined) return cache.getAccount({ homeAccountId: selection.homeAccountId })?.username;
    const accounts = ownAccounts(cache, this.#engine.provider.clientId);
    return accounts.length === 1 ? accounts[0]?.username : undefined;
  }

  async signOut(
    selection: Selection,
    options: { readonly postLogoutRedirectUri?: string },
  ): Promise<{ readonly logoutUrl?: string }> {
    const { provider, options: settings, isAppOnly } = this.#engine;
    if (isAppOnly)
      throw new CapabilityError('An application account is not signed in; remove its tokens with tokenBackend.deleteToken().');
    const record = await this.#engine.records.fresh(this.#tokenKey);
    const account = record && selectedAccount(this.#engine.question(selection), record.cache, provider.clientId);
    if (record && account) await this.#revoke(record.cache, account);
    if (account || record?.cache.legacyRefreshToken)
      await settings.tokenBackend.updateToken((cache) => removeFrom(cache, account), { tokenKey: this.#tokenKey });
    const logoutUrl = provider.logoutUrl?.(options);
    return logoutUrl === undefined ? {} : { logoutUrl };
  }

  #record(suffices: (record: DecodedRecord) => boolean): Promise<DecodedRecord | undefined> {
    return sufficientRecord(this.#engine.records, this.#tokenKey, { suffices });
  }

  #canHaveTokens(cache: TokenCache, { homeAccountId }: AccountInfo): boolean {
    const query = { homeAccountId, clientId: this.#engine.provider.clientId };
    return cache.tokenIsLongLived(query) || !cache.tokenIsExpired({ ...query, now: this.#engine.serverClock.now() });
  }

  // The tokens go whether or not the server hears of it.
  async #revoke(cache: TokenCache, { homeAccountId }: AccountInfo): Promise<void> {
    const { provider, clock } = this.#engine;
    if (!provider.revoke) return;
    const environment = provider.environments[0] ?? provider.issuer;
    const slice = cache.slice({ homeAccountId, clientId: provider.clientId, environment, now: () => clock.now() });
    try {
      await provider.revoke(slice, this.#engine.context([]));
    } catch {
      emit('fault', () => ({ operation: 'token-endpoint', tokenKey: this.#tokenKey, code: 'TOKENRY_REFRESH_FAILED' }));
    }
  }
}

// The token of a python-o365 2.0 file would be imported at the next call: signed out, but not for long.
function removeFrom(cache: TokenCache, account: AccountInfo | undefined): void {
  if (account) cache.removeAccount({ homeAccountId: account.homeAccountId });
  const { legacyRefreshToken } = cache;
  if (legacyRefreshToken && cache.getAccounts().length === 0) cache.removeRefreshToken(legacyRefreshToken.secret);
}
