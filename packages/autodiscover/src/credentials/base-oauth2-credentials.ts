import {
  Account,
  type AccountOptions,
  type ApplicationCredentials,
  type Cloud,
  NotAuthenticatedError,
  type TokenBackend,
} from '@tokenry/core';
import { invalidArgument, strictOptions } from '@tokenry/core/backend';
import { type CloudName, type MicrosoftCloud, resolveCloud, toCoreCloud } from '../cloud/clouds.js';
import { BaseCredentials, type CredentialsDescriptor } from './base-credentials.js';
import type { Identity } from './identity.js';
import { checkToken, type OAuth2Token } from './oauth2-token.js';
import { ProcessTokenBackend } from './process-token-backend.js';
import { processDigest, sameSecret } from './secret-compare.js';

export interface OAuth2CredentialsOptions {
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Whose mailbox a service account speaks for. */
  readonly identity?: Identity | undefined;
  /** A token that exists already; used until it expires. */
  readonly accessToken?: OAuth2Token | null | undefined;
  /** @default 'global' */
  readonly cloud?: CloudName | Cloud | undefined;
  /** Replaces the kind's own scopes, for Exchange servers with an audience of their own. */
  readonly scopes?: readonly string[] | undefined;
  /** Where tokens live. @default this process' memory */
  readonly tokenBackend?: TokenBackend | undefined;
  /** Name of the record in `tokenBackend`. */
  readonly tokenKey?: string | undefined;
  /** Further options for the `Account` that refreshes: proxy, CA, clock. */
  readonly accountOptions?: Partial<AccountOptions> | undefined;
}
export const OAUTH2_OPTIONS = [
  'clientId',
  'clientSecret',
  'tenantId',
  'identity',
  'accessToken',
  'cloud',
  'scopes',
  'tokenBackend',
  'tokenKey',
  'accountOptions',
] as const;

export interface AccessTokenRequest {
  readonly scopes?: readonly string[];
  readonly forceRefresh?: boolean;
  readonly claims?: string;
  readonly signal?: AbortSignal;
}

/** A held token is not used in its last minute: it could expire on the way. */
const EXPIRY_MARGIN_MS = 60_000;

/** Parent of the OAuth 2 credentials: an immutable descriptor, a token holder beside it, and an `Account` that refreshes. */
export abstract class BaseOAuth2Credentials extends BaseCredentials {
  readonly clientId: string | undefined;
  readonly tenantId: string | undefined;
  readonly identity: Identity | undefined;
  readonly cloud: MicrosoftCloud;
  protected readonly options: Readonly<OAuth2CredentialsOptions>;
  readonly #clientSecret: string | undefined;
  readonly #instance: string | undefined;
  #token: OAuth2Token | undefined;
  #tokenIsOurs = false;
  #account: Account | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(options: OAuth2CredentialsOptions, own: { readonly options?: readonly string[]; readonly instance?: string } = {}) {
    super();
    const checked = strictOptions('OAuth2 credentials', options, [...OAUTH2_OPTIONS, ...(own.options ?? [])]);
    const { clientSecret, accessToken, ...rest } = checked;
    this.clientId = checked.clientId;
    this.tenantId = checked.tenantId;
    this.identity = checked.identity;
    this.cloud = resolveCloud(checked.cloud);
    // Token-only credentials have no name to compare: each object is its own.
    this.#instance = checked.clientId === undefined ? (own.instance ?? crypto.randomUUID()) : undefined;
    this.#clientSecret = clientSecret;
    this.#token = checkToken(accessToken);
    this.options = Object.freeze(rest);
    // Backends and clients inside are nobody's business who prints this object.
    Object.defineProperty(this, 'options', { enumerable: false });
    this.fix('clientId', 'tenantId', 'identity', 'cloud', 'options');
  }

  /** Scopes that a token for Exchange is asked with. */
  get scopes(): readonly string[] {
    return this.options.scopes ?? this.defaultScopes();
  }
  protected defaultScopes(): readonly string[] {
    return [`https://${this.cloud.exchangeHost}/.default`];
  }

  /** The token endpoint of this cloud and tenant. */
  get tokenUrl(): string {
    return `${new URL(this.cloud.authority).origin}/${encodeURIComponent(this.tenantId ?? this.defaultTenant)}/oauth2/v2.0/token`;
  }
  protected get defaultTenant(): string {
    return 'common';
  }

  /** The token held now, if any. Assigning anything but a token object or null is a TypeError. */
  get accessToken(): OAuth2Token | undefined {
    return this.#token;
  }
  set accessToken(token: OAuth2Token | null | undefined) {
    this.#token = checkToken(token);
    this.#tokenIsOurs = false;
  }

  /** Called with every new token. Override it to keep tokens elsewhere, and call `super.onTokenAutoRefreshed(token)`. */
  onTokenAutoRefreshed(token: OAuth2Token): void {
    this.#token = checkToken(token);
  }

  /** Called, once for all waiting callers, when the held token no longer serves. Override it when tokens come from elsewhere. */
  async refresh(): Promise<void> {}

  /**
   * A number that changes when names, secrets or the token change, for those who want to know whether somebody else has
   * refreshed; whom the credentials speak for does not count. Its meaning ends with this process.
   */
  sig(): number {
    const { identity: _identity, ...names } = this.serialize();
    const parts = [names, this.#clientSecret ?? '', ...this.secretParts(), this.#token?.access_token ?? ''];
    return processDigest(parts).readUIntBE(0, 6);
  }

  /** Everything an OAuth library's session needs to carry and renew the token. Holds secrets: never log it. */
  sessionParams(): Record<string, unknown> {
    const token = { token: this.#token };
    if (this.clientId === undefined || this.#clientSecret === undefined) return token;
    return {
      ...token,
      autoRefreshUrl: this.tokenUrl,
      autoRefreshParams: { client_id: this.clientId, client_secret: this.#clientSecret },
      tokenUpdater: (updated: OAuth2Token) => this.onTokenAutoRefreshed(updated),
    };
  }

  /** What this kind adds to a token request. May hold secrets: never log it. */
  tokenParams(): Record<string, unknown> {
    return { includeClientId: true };
  }

  /** The same program, as core's `Account` takes it. @throws TypeError when there is nothing to sign in with. */
  toApplicationCredentials(): ApplicationCredentials {
    if (this.clientId === undefined) return { accessToken: () => this.getAccessToken() };
    return this.#clientSecret === undefined ? [this.clientId] : [this.clientId, this.#clientSecret];
  }

  /** Options that an `Account` for these credentials needs beside its backend. */
  toAccountOptions(): Partial<AccountOptions> {
    const { tenantId } = this;
    return {
      cloud: toCoreCloud(this.cloud),
      ...(tenantId === undefined ? {} : { tenantId }),
      scopes: this.scopes,
      ...(this.options.tokenKey === undefined ? {} : { tokenKey: this.options.tokenKey }),
      ...this.options.accountOptions,
    };
  }

  /** The account that keeps and refreshes these tokens, on `tokenBackend`. Made on first use. */
  get account(): Account {
    this.#account ??= new Account(this.toApplicationCredentials(), {
      ...this.toAccountOptions(),
      tokenBackend: this.options.tokenBackend ?? new ProcessTokenBackend(),
    });
    return this.#account;
  }

  /**
   * A token for Exchange: the held one while it lasts, otherwise through `refresh()` or the account, which refreshes
   * once however many callers wait.
   * @throws NotAuthenticatedError when there is neither a valid token nor a way to get one
   */
  async getAccessToken(request: AccessTokenRequest = {}): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const held = request.forceRefresh || this.#tokenIsOurs ? undefined : this.#heldToken();
    if (held) return held;
    await this.#refreshOnce(request.signal);
    const refreshed = this.#tokenIsOurs || request.forceRefresh ? undefined : this.#heldToken();
    if (refreshed) return refreshed;
    if (this.clientId === undefined || !this.canSignIn())
      throw new NotAuthenticatedError('The access token has expired, and these credentials have no way to get another.');
    return this.#fromAccount(request);
  }

  /** Whether `account` can get a token without what was given as `accessToken`. */
  protected canSignIn(): boolean {
    return this.#clientSecret !== undefined;
  }
  /** Brings the account to where `getAccessToken` can succeed; a kind that signs in overrides it. */
  protected async prepareAccount(_request: AccessTokenRequest): Promise<void> {}

  async #fromAccount(request: AccessTokenRequest) {
    await this.prepareAccount(request);
    const { token, expiresAt } = await this.account.getAccessToken({ scopes: this.scopes, ...request });
    if (this.#token?.access_token !== token) {
      this.onTokenAutoRefreshed({ access_token: token, token_type: 'Bearer', expires_at: Math.floor(expiresAt / 1000) });
      this.#tokenIsOurs = true;
    }
    return { token, expiresAt };
  }

  #heldToken(): { readonly token: string; readonly expiresAt: number } | undefined {
    if (!this.#token) return undefined;
    const expiresAt = this.#token.expires_at === undefined ? Number.POSITIVE_INFINITY : this.#token.expires_at * 1000;
    const now = this.options.accountOptions?.clock?.now() ?? Date.now();
    return expiresAt - EXPIRY_MARGIN_MS > now ? { token: this.#token.access_token, expiresAt } : undefined;
  }

  async #refreshOnce(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.#refreshing ??= this.refresh().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
    signal?.throwIfAborted();
  }

  serialize(): CredentialsDescriptor {
    const { kind, clientId, tenantId, identity } = this;
    return {
      kind,
      ...(clientId === undefined ? {} : { clientId }),
      ...(this.#instance === undefined ? {} : { instance: this.#instance }),
      ...(tenantId === undefined ? {} : { tenantId }),
      cloud: this.cloud.name,
      ...(identity === undefined ? {} : { identity: identity.toJSON() }),
    };
  }

  protected sameSecrets(other: this): boolean {
    const [mine, theirs] = [this.secretParts(), other.secretParts()];
    return sameSecret(this.#clientSecret, other.#clientSecret) && mine.every((part, i) => sameSecret(part, theirs[i]));
  }
  /** Further secrets that belong to the descriptor (a password, a digest of a code). */
  protected secretParts(): readonly string[] {
    return [];
  }

  protected requireClient(kind: string): string {
    if (this.clientId === undefined) throw invalidArgument(`${kind} needs a clientId.`);
    return this.clientId;
  }
  /** The client secret, for kinds that speak to the token endpoint themselves. */
  protected revealClientSecret(): string | undefined {
    return this.#clientSecret;
  }

  toString(): string {
    return this.clientId ?? '';
  }
}
