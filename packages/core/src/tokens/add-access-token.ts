import { isBound } from './access-token-match.js';
import { homeIdOf, homeTenantOf } from './accounts.js';
import { entityKey } from './entity-keys.js';
import { answerTexts, grantedScopes, type ShortAnswer, sameScopes, shortAnswers } from './grant.js';
import type { RecordDraft } from './record-state.js';
import type { AccessTokenEntity } from './schema.js';
import { contains, normaliseScopes, type ScopeSet } from './scope-set.js';
import { tenantOfToken } from './tenants.js';
import type { Issue } from './token-event.js';

/** Stores an access token in place of those it makes superfluous, and remembers what it answers. */
export function addAccessToken(draft: RecordDraft, issue: Omit<Issue, 'accessToken'>): AccessTokenEntity | undefined {
  const bare = accessTokenOf(issue);
  if (!bare) return undefined;
  const key = entityKey('AccessToken', bare);
  const granted = grantedScopes(bare);
  const superfluous = replacedBy(draft, { key, bare, granted });
  for (const [oldKey] of superfluous) draft.delete('AccessToken', oldKey);
  const inherited = superfluous.flatMap(([, token]) => shortAnswers(token));
  const answers = answersOf(issue, granted, inherited);
  const named = { ...tenantNameOf(superfluous), ...bare };
  const token = answers.length === 0 ? named : { ...named, tokenry_answers: answerTexts(answers) };
  draft.set('AccessToken', key, token);
  return token;
}

// Who asks for the tenant by its domain goes on finding the token when somebody else refreshed it under the tenant's id.
function tenantNameOf(replaced: readonly [string, AccessTokenEntity][]): { readonly tokenry_tenant?: string } {
  const tokenry_tenant = replaced.map(([, token]) => token.tokenry_tenant).find((name) => name);
  return tokenry_tenant ? { tokenry_tenant } : {};
}

function accessTokenOf({
  event,
  answer,
  identity,
  environment,
  clientId,
}: Omit<Issue, 'accessToken'>): AccessTokenEntity | undefined {
  if (answer.accessToken === undefined) return undefined;
  return {
    home_account_id: identity.homeAccountId ?? '',
    environment,
    credential_type: 'AccessToken',
    client_id: clientId,
    secret: answer.accessToken,
    realm: identity.realm,
    target: answer.target,
    token_type: answer.tokenType,
    cached_at: String(answer.cachedAt),
    expires_on: String(answer.expiresOn),
    extended_expires_on: String(answer.extendedExpiresOn),
    ...(answer.refreshOn === undefined ? {} : { refresh_on: String(answer.refreshOn) }),
    ...(event.userAssertionHash === undefined ? {} : { userAssertionHash: event.userAssertionHash }),
    ...(identity.tenantAlias === undefined ? {} : { tokenry_tenant: identity.tenantAlias }),
  };
}

/**
 * Tokens that the new one serves for: same account, client, tenant and assertion, and no scope that it lacks. msal-node
 * drops every token that shares a scope; two requests that overlap would then drive each other out for ever.
 */
function replacedBy(
  draft: RecordDraft,
  { key, bare, granted }: { readonly key: string; readonly bare: AccessTokenEntity; readonly granted: ScopeSet },
): [string, AccessTokenEntity][] {
  const homeTenant = () => homeTenantOf(draft.state, homeIdOf(bare.home_account_id));
  return [...draft.state.AccessToken].filter(([otherKey, other]) => {
    if (otherKey === key) return true;
    const scopes = isSameOwner(other, bare, homeTenant) && !isBound(other) ? grantedScopes(other) : [];
    return scopes.length > 0 && scopes.every((scope) => granted.includes(scope));
  });
}

function isSameOwner(a: AccessTokenEntity, b: AccessTokenEntity, homeTenant: () => string): boolean {
  return (
    homeIdOf(a.home_account_id) === homeIdOf(b.home_account_id) &&
    a.client_id.toLowerCase() === b.client_id.toLowerCase() &&
    a.environment === b.environment &&
    a.userAssertionHash === b.userAssertionHash &&
    a.credential_type === b.credential_type &&
    tenantOfToken(a, homeTenant) === tenantOfToken(b, homeTenant)
  );
}

/** What was asked if more than granted, and what the replaced tokens still answer; each until its own answer expires. */
function answersOf(
  { event, answer }: Omit<Issue, 'accessToken'>,
  granted: ScopeSet,
  inherited: readonly ShortAnswer[],
): ShortAnswer[] {
  const asked = event.scopes === undefined ? undefined : normaliseScopes(event.scopes);
  const fresh = asked && !contains(granted, asked) ? [{ until: answer.expiresOn, asked }] : [];
  const kept = inherited.filter(
    (old) => old.until > answer.cachedAt && !contains(granted, old.asked) && !(asked && sameScopes(old.asked, asked)),
  );
  return [...fresh, ...kept];
}
