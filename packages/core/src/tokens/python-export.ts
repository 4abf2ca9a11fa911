import { homeIdOf } from './accounts.js';
import { isEntraEnvironment, pythonEnvironment } from './environments.js';
import type { RecordState } from './record-state.js';
import type { AccessTokenEntity, AccountEntity, AppMetadataEntity, CredentialEntity, RefreshTokenEntity } from './schema.js';
import { isReservedScope, splitScopes } from './scope-set.js';
import { seconds } from './token-times.js';

/** Asks for whatever was consented to: lets python-o365 refresh when nothing says what it was. */
const GRAPH_DEFAULT = 'https://graph.microsoft.com/.default';

/**
 * The record as python-o365 2.1 and MSAL Python write it: their environment name and keys, no account id on tokens of
 * the program itself, and scopes on every refresh token, without which python-o365 cannot refresh.
 */
export function pythonRecord(state: RecordState): Record<string, unknown> {
  return {
    ...Object.fromEntries(state.extra),
    AccessToken: section(state.AccessToken.values(), (token) => [accessTokenKey(token), appOnlyAsNull(token)]),
    RefreshToken: section(state.RefreshToken.values(), (token) => withTarget(token, scopesFor(state, token))),
    IdToken: section(state.IdToken.values(), (token) => [
      key(token, 'idtoken', `${token.client_id}-${token.realm ?? ''}-`),
      token,
    ]),
    Account: section(state.Account.values(), (account) => [accountKey(account), account]),
    AppMetadata: section(state.AppMetadata.values(), (app) => [appKey(app), app]),
  };
}

function section<E extends { readonly environment: string }>(
  entities: Iterable<E>,
  entry: (entity: E) => readonly [string, E],
): Record<string, E> {
  const renamed = [...entities].map((entity) => entry({ ...entity, environment: pythonEnvironment(entity.environment) }));
  return Object.fromEntries(renamed.map(([name, entity]) => [name.toLowerCase(), entity]));
}

function key({ home_account_id, environment }: CredentialEntity, type: string, rest: string): string {
  return `${home_account_id ?? ''}-${environment}-${type}-${rest}`;
}

function accessTokenKey(token: AccessTokenEntity): string {
  const assertion = token.userAssertionHash ? `-${token.userAssertionHash}` : '';
  return key(token, 'accesstoken', `${token.client_id}-${token.realm ?? ''}-${token.target ?? ''}${assertion}`);
}

function accountKey({ home_account_id, environment, realm }: AccountEntity): string {
  return `${home_account_id}-${environment}-${realm ?? ''}`;
}

function appKey({ environment, client_id }: AppMetadataEntity): string {
  return `appmetadata-${environment}-${client_id}`;
}

function appOnlyAsNull(token: AccessTokenEntity): AccessTokenEntity {
  return token.home_account_id ? token : { ...token, home_account_id: null };
}

function withTarget(token: RefreshTokenEntity, target: string): readonly [string, RefreshTokenEntity] {
  return [key(token, 'refreshtoken', `${token.client_id}--${target}`), { ...token, target }];
}

// Its own scopes, else those of the newest access token that the same client holds for the account.
function scopesFor(state: RecordState, token: RefreshTokenEntity): string {
  if (token.target) return sorted(token.target);
  let newest: AccessTokenEntity | undefined;
  for (const other of state.AccessToken.values()) {
    const same = homeIdOf(other.home_account_id) === homeIdOf(token.home_account_id) && other.client_id === token.client_id;
    if (!same || !splitScopes(other.target ?? '').some((scope) => !isReservedScope(scope))) continue;
    if (!newest || (seconds(other.cached_at) ?? 0) > (seconds(newest.cached_at) ?? 0)) newest = other;
  }
  if (newest) return sorted(newest.target ?? '');
  return isEntraEnvironment(token.environment) ? GRAPH_DEFAULT : '';
}

function sorted(target: string): string {
  return splitScopes(target).toSorted().join(' ');
}
