import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from './authority-state.js';
import { OFFLINE } from './scopes.js';

/** A new grant with everything that is asked for, once the person has agreed to this application. */
export async function grantIfConsented(ctx: KoaContextWithOIDC, state: AuthorityState) {
  const { client, account, provider, resourceServers, result } = ctx.oidc;
  if (!client || !account) return undefined;
  const consent = `${account.accountId} ${client.clientId}`;
  if (result?.consent) state.consents.add(consent);
  if (!state.consents.has(consent)) return undefined;
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope(`openid profile email ${OFFLINE}`);
  for (const [resource, server] of Object.entries(resourceServers ?? {})) grant.addResourceScope(resource, server.scope);
  await grant.save();
  return grant;
}
