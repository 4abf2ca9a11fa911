import type { AccessTokenEntity, CredentialEntity, StoredAccessToken } from './schema.js';
import { splitScopes } from './scope-set.js';
import { instant } from './token-times.js';

/** A token as callers get it: `secret` is readable but not enumerable, so neither `inspect` nor JSON shows it. */
export class SecretView {
  readonly #secret: string;
  constructor(secret: string) {
    this.#secret = secret;
  }
  get secret(): string {
    return this.#secret;
  }
}

/** An access token as callers get it. */
export class AccessTokenView extends SecretView implements StoredAccessToken {
  readonly expiresAt: number;
  readonly refreshAt?: number;
  readonly cachedAt: number;
  readonly scopes: readonly string[];
  readonly homeAccountId: string | null;
  readonly tenantId: string;

  /** `servesUntil` in epoch seconds: a short grant serves the longer request only until that answer expires. */
  constructor(token: AccessTokenEntity, servesUntil: number) {
    super(token.secret);
    this.expiresAt = servesUntil * 1_000;
    if (token.refresh_on !== undefined && token.refresh_on !== null) this.refreshAt = instant(token.refresh_on);
    this.cachedAt = instant(token.cached_at);
    this.scopes = splitScopes(token.target ?? '');
    this.homeAccountId = token.home_account_id || null;
    this.tenantId = token.realm ?? '';
    Object.freeze(this);
  }
}

/** An id token as callers get it, with its claims. */
export class IdTokenView extends SecretView {
  readonly claims: Readonly<Record<string, unknown>>;
  constructor(token: CredentialEntity, claims: Readonly<Record<string, unknown>>) {
    super(token.secret);
    this.claims = Object.freeze(claims);
    Object.freeze(this);
  }
}
