import { type AccessTokenMatch, newestMatch } from './access-token-match.js';
import { accountInfo, accountsOf, type HomeId, homeIdOf, homeTenantOf, sameName, selectHome } from './accounts.js';
import type { RecordState } from './record-state.js';
import type { AccountInfo, IdTokenEntity, RefreshTokenEntity, TokenQuery } from './schema.js';
import { isReservedScope, normaliseResource, normaliseScopes, splitScopes } from './scope-set.js';
import { isForTenant, wantedTenant } from './tenants.js';
import { seconds } from './token-times.js';

/** The queries of `TokenCache`, on its state. */

/** All accounts, or those of one user name. */
export function findAccounts(state: RecordState, username: string | undefined): readonly AccountInfo[] {
  const accounts = [...accountsOf(state).values()];
  return accounts.filter((account) => username === undefined || sameName(account.username, username)).map(accountInfo);
}

/** The one account that a query selects. */
export function findAccount(state: RecordState, query: TokenQuery): AccountInfo | undefined {
  const home = selectHome(state, query);
  const account = home === undefined ? undefined : accountsOf(state).get(home);
  return account && accountInfo(account);
}

/** Without a tenant: the home tenant's token where there is one, any tenant's otherwise. */
export function findAccessToken(state: RecordState, query: TokenQuery): AccessTokenMatch | undefined {
  const home = selectHome(state, query);
  if (home === undefined) return undefined;
  const criteria = {
    home,
    clientId: query.clientId,
    tenant: wantedTenant(query.tenantId, () => homeTenantOf(state, home)),
    asked: query.scopes === undefined ? undefined : normaliseScopes(query.scopes),
    resource: query.resource === undefined ? undefined : normaliseResource(query.resource),
    userAssertionHash: undefined,
  };
  const match = newestMatch(state.AccessToken.values(), criteria);
  if (match || query.tenantId !== undefined) return match;
  return newestMatch(state.AccessToken.values(), { ...criteria, tenant: undefined });
}

/** This client's own token first, then one of its family; the newest where times are known. */
export function findRefreshToken(state: RecordState, query: TokenQuery): RefreshTokenEntity | undefined {
  const home = selectHome(state, query);
  if (home === undefined || home === '') return undefined;
  const mine = [...state.RefreshToken.values()].filter((token) => homeIdOf(token.home_account_id) === home);
  const { clientId } = query;
  if (clientId === undefined) return newest(mine);
  const own = newest(mine.filter((token) => token.client_id.toLowerCase() === clientId.toLowerCase()));
  return own ?? newest(mine.filter((token) => token.family_id && token.family_id === familyOf(state, clientId)));
}

/** The home tenant's id token first, like access tokens. */
export function findIdToken(state: RecordState, query: TokenQuery): IdTokenEntity | undefined {
  const home = selectHome(state, query);
  if (home === undefined) return undefined;
  const tokens = [...state.IdToken.values()].filter((token) => fitsIdToken(token, home, query));
  const tenant = wantedTenant(query.tenantId, () => homeTenantOf(state, home));
  const [first] = tokens;
  return tokens.find((token) => isForTenant(token, tenant)) ?? (query.tenantId === undefined ? first : undefined);
}

/** What python-o365 refreshes with: the scopes of the refresh token, else of the access token. */
export function findScopes(state: RecordState, query: TokenQuery, removeReserved: boolean): readonly string[] | undefined {
  const target = findRefreshToken(state, query)?.target || findAccessToken(state, query)?.token.target;
  if (target === undefined || target === null) return undefined;
  return splitScopes(target).filter((scope) => !(removeReserved && isReservedScope(scope)));
}

function fitsIdToken(token: IdTokenEntity, home: HomeId, { clientId }: TokenQuery): boolean {
  const fitsClient = clientId === undefined || token.client_id.toLowerCase() === clientId.toLowerCase();
  return fitsClient && homeIdOf(token.home_account_id) === home;
}

function newest(tokens: readonly RefreshTokenEntity[]): RefreshTokenEntity | undefined {
  const at = (token: RefreshTokenEntity) => seconds(token.last_modification_time) ?? 0;
  return tokens.reduce<RefreshTokenEntity | undefined>(
    (best, token) => (best && at(best) >= at(token) ? best : token),
    undefined,
  );
}

function familyOf(state: RecordState, clientId: string): string | undefined {
  for (const app of state.AppMetadata.values())
    if (app.client_id.toLowerCase() === clientId.toLowerCase()) return app.family_id || undefined;
  return undefined;
}
