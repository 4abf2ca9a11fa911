import { newestMatch } from './access-token-match.js';
import { homeIdOf, homeTenantOf } from './accounts.js';
import { canonicalEnvironment } from './environments.js';
import type { RecordState } from './record-state.js';
import type { AccessTokenEntity, StoredAccessToken } from './schema.js';
import { normaliseScopes } from './scope-set.js';
import { isPseudoTenant, wantedTenant } from './tenants.js';
import type { TokenCache } from './token-cache.js';
import { AccessTokenView } from './token-views.js';

export type { StoredAccessToken } from './schema.js';

/** Above this many tokens a first lookup goes through a table by account instead of through all of them. */
const SMALL_RECORD = 16;
/** Answers remembered per record; more differing requests than this are worked out again. */
const MAX_REMEMBERED = 10_000;

/** Which access token a caller needs. */
export interface AccessTokenRequest {
  /** Unique for the combination of all other fields: the key under which the answer is remembered. */
  readonly id: string;
  readonly clientId: string;
  /** Names of the authorization server; any of them matches. */
  readonly environments: readonly string[];
  /** `null`: a token of the program itself, or, with a `userAssertionHash`, of whomever the assertion speaks for. */
  readonly homeAccountId: string | null;
  /** Tenant id or domain. Absent, `common` and the like mean the account's home tenant. */
  readonly tenantId?: string;
  readonly scopes: readonly string[];
  readonly userAssertionHash?: string;
}

/** Finds access tokens of one decoded record as it is now; later changes of the cache do not reach the index. */
export class AccessTokenIndex {
  readonly #state: RecordState;
  #found: Map<string, StoredAccessToken | undefined> | undefined;
  #byHome: Map<string, AccessTokenEntity[]> | undefined;

  constructor(cache: TokenCache) {
    this.#state = cache.state;
  }

  /** The newest token that serves `request`, expired or not. The same request id again costs one Map lookup. */
  find(request: AccessTokenRequest): StoredAccessToken | undefined {
    const found = this.#found?.get(request.id);
    if (found !== undefined || this.#found?.has(request.id)) return found;
    return this.#remember(request.id, this.#search(request));
  }

  #search(request: AccessTokenRequest): StoredAccessToken | undefined {
    const { homeAccountId, tenantId, userAssertionHash } = request;
    const anybody = homeAccountId === null && userAssertionHash !== undefined;
    const home = anybody ? undefined : homeIdOf(homeAccountId);
    // Which tenant an assertion belongs to is for the server to say.
    const anyTenant = anybody ? isPseudoTenant(tenantId) : tenantId === undefined && homeAccountId === null;
    const match = newestMatch(this.#tokensOf(home), {
      home,
      clientId: request.clientId,
      environments: request.environments.map(canonicalEnvironment),
      ...(anyTenant ? {} : { tenant: wantedTenant(tenantId, () => homeTenantOf(this.#state, home ?? '')) }),
      asked: normaliseScopes(request.scopes),
      userAssertionHash,
    });
    return match && new AccessTokenView(match.token, match.servesUntil);
  }

  #tokensOf(home: string | undefined): Iterable<AccessTokenEntity> {
    const all = this.#state.AccessToken;
    if (home === undefined || all.size <= SMALL_RECORD) return all.values();
    this.#byHome ??= Map.groupBy(all.values(), (token) => homeIdOf(token.home_account_id));
    return this.#byHome.get(home) ?? [];
  }

  #remember(id: string, token: StoredAccessToken | undefined): StoredAccessToken | undefined {
    if (this.#found === undefined || this.#found.size >= MAX_REMEMBERED) this.#found = new Map();
    this.#found.set(id, token);
    return token;
  }
}
