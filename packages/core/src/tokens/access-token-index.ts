import type { StoredAccessToken } from './schema.js';
import type { TokenCache } from './token-cache.js';

export type { StoredAccessToken } from './schema.js';

/** Which access token a caller needs. */
export interface AccessTokenRequest {
  /** Unique for the combination of all other fields: the key under which the answer is remembered. */
  readonly id: string;
  readonly clientId: string;
  /** Names of the authorization server; any of them matches. */
  readonly environments: readonly string[];
  /** `null`: a token of the program itself. */
  readonly homeAccountId: string | null;
  /** Tenant id or domain. Absent, `common` and the like mean the account's home tenant. */
  readonly tenantId?: string;
  readonly scopes: readonly string[];
  readonly userAssertionHash?: string;
}

/** Finds access tokens of one decoded record; the record must not change while the index is in use. */
export class AccessTokenIndex {
  readonly #cache: TokenCache;
  constructor(cache: TokenCache) {
    this.#cache = cache;
  }

  /** The newest token that serves `request`, expired or not. The same request id again costs one Map lookup. */
  find(_request: AccessTokenRequest): StoredAccessToken | undefined {
    throw new Error(`not implemented ${typeof this.#cache}`);
  }
}
