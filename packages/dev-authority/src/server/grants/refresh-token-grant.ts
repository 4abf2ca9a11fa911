import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from '../authority-state.js';
import { parameter } from '../parameter.js';
import { RefusalError, refusal } from '../refusal.js';
import { internalScope, OFFLINE, parseScopes } from '../scopes.js';
import { issueForPerson } from './issue-for-person.js';

const refused = (code: number, message: string, suberror?: string) =>
  new RefusalError(refusal('invalid_grant', code, message, suberror));

/**
 * `grant_type=refresh_token` as Entra ID does it: any scopes of any resource, in any tenant, and a new refresh token with
 * every answer. What becomes of the old one is the `refreshTokens` option.
 */
export async function refreshTokenGrant(ctx: KoaContextWithOIDC, tenantId: string, state: AuthorityState): Promise<void> {
  const { provider, client, params } = ctx.oidc;
  const value = parameter(params?.refresh_token);
  const token = await provider.RefreshToken.find(value, { ignoreExpiration: true });
  if (!token || token.clientId !== client?.clientId)
    throw refused(9002313, 'Invalid request. Request is malformed or invalid.', 'bad_token');
  if (token.isExpired) throw refused(700082, 'The refresh token has expired due to inactivity.', 'token_expired');
  const grantId = token.grantId ?? '';
  const grant = await provider.Grant.find(grantId, { ignoreExpiration: true });
  const person = state.directory.byAccountId(token.accountId);
  if (!grant || !person)
    throw refused(50173, 'The provided grant has expired due to it being revoked, a fresh auth token is needed.', 'bad_token');
  await spend(value, grantId, state);
  const scope = scopeToAnswer(params?.scope, token.scope ?? '');
  const authTime = token.authTime === undefined ? {} : { authTime: token.authTime };
  await issueForPerson(ctx, { person, tenantId, gty: 'refresh_token', scope, grantId, ...authTime }, state);
}

/** A refresh token answers with another, whether `offline_access` was asked for again or not. */
function scopeToAnswer(asked: unknown, granted: string): string {
  const own = parseScopes(parameter(asked) || granted);
  const resources = own.resources.size > 0 ? own.resources : parseScopes(granted).resources;
  const scope = internalScope({ openid: own.openid, offline: false, resources });
  return `${scope} ${OFFLINE}`;
}

/** Claiming is synchronous: of two concurrent requests with one token exactly one gets through. */
async function spend(value: string, grantId: string, state: AuthorityState): Promise<void> {
  const mode = state.settings.refreshTokens;
  if (mode === 'reusable' || state.store.shelf('RefreshToken').claim(value)) return;
  if (mode === 'one-time-revoking') {
    await Promise.all([state.store.shelf('RefreshToken').revokeByGrantId(grantId), state.store.shelf('Grant').destroy(grantId)]);
  }
  throw refused(70000, 'The provided refresh token was used before.', 'bad_token');
}
