import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from '../authority-state.js';
import type { Person } from '../directory.js';
import { resourceServer } from '../resource-server.js';
import { GRAPH, internalScope, parseScopes } from '../scopes.js';
import { idTokenClaims } from '../token-claims.js';

/** Whom tokens are issued for, and on what ground. */
export interface Issue {
  readonly person: Person;
  readonly tenantId: string;
  readonly gty: string;
  /** The scopes to answer for, in oidc-provider's form. */
  readonly scope: string;
  /** A grant to stay under; without one a new one is made. */
  readonly grantId?: string;
  readonly authTime?: number;
}

/** Issues access, refresh and ID token for the grants that oidc-provider leaves to us, and answers with them. */
export async function issueForPerson(ctx: KoaContextWithOIDC, issue: Issue, state: AuthorityState): Promise<void> {
  const { provider, client } = ctx.oidc;
  if (!client) throw new TypeError('A grant needs an authenticated client.');
  const { person, gty, tenantId } = issue;
  const { accountId } = person;
  const asked = parseScopes(issue.scope);
  const resource = [...asked.resources.keys()][0] ?? GRAPH;
  const server = resourceServer(resource, issue.scope, state);
  const { scope } = server;
  ctx.oidc.entity('Account', { accountId, claims: () => idTokenClaims(person, tenantId, state) });
  const grantId = issue.grantId ?? (await newGrant(ctx, accountId, client.clientId));
  const token = new provider.AccessToken({ accountId, client, grantId, gty, claims: {}, scope });
  token.resourceServer = new provider.ResourceServer(resource, server);
  const accessToken = await token.save();
  ctx.body = {
    token_type: 'Bearer',
    scope,
    expires_in: token.expiration,
    access_token: accessToken,
    ...(asked.offline ? { refresh_token: await newRefreshToken(ctx, issue, grantId, resource) } : {}),
    ...(asked.openid.includes('openid') ? { id_token: await newIdToken(ctx, issue, state) } : {}),
  };
}

async function newGrant(ctx: KoaContextWithOIDC, accountId: string, clientId: string): Promise<string> {
  const grant = new ctx.oidc.provider.Grant({ accountId, clientId });
  await grant.save();
  return grant.jti;
}

async function newRefreshToken(ctx: KoaContextWithOIDC, issue: Issue, grantId: string, resource: string): Promise<string> {
  const { provider, client } = ctx.oidc;
  if (!client) throw new TypeError('A grant needs an authenticated client.');
  const { accountId } = issue.person;
  const scope = internalScope(parseScopes(issue.scope));
  const token = new provider.RefreshToken({
    accountId,
    client,
    grantId,
    gty: issue.gty,
    scope,
    resource,
    ...(issue.authTime === undefined ? {} : { authTime: issue.authTime }),
  });
  return token.save();
}

async function newIdToken(ctx: KoaContextWithOIDC, issue: Issue, state: AuthorityState): Promise<string> {
  const idToken = new ctx.oidc.provider.IdToken(idTokenClaims(issue.person, issue.tenantId, state), { ctx });
  // The published types leave these out; oidc-provider's own grants set them in the same way.
  Object.assign(idToken, { scope: parseScopes(issue.scope).openid.join(' '), mask: {}, rejected: [] });
  return idToken.issue({ use: 'idtoken' });
}
