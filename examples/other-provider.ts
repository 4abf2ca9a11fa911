// Another authorization server than Entra ID: a provider of some 20 lines. Storage, leases, refresh and requests stay the same.
import { Account, Protocol, type TokenProvider } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { localAuthority } from './dev.ts';

/** Client credentials at any server that speaks OAuth 2.0 (RFC 6749). */
function plainOAuth(server: { issuer: string; tokenEndpoint: string; clientId: string; clientSecret: string }): TokenProvider {
  const { issuer, tokenEndpoint, clientId, clientSecret } = server;
  const environment = new URL(issuer).host;
  return {
    issuer,
    clientId,
    environments: [environment],
    async exchange(grant, slice, { fetch, scopes }) {
      const body = new URLSearchParams({ grant_type: grant.grantType, scope: scopes.join(' ') });
      const authorization = `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`;
      const answer = await fetch(tokenEndpoint, { method: 'POST', body, headers: { authorization } });
      slice.add({ response: await answer.json(), status: answer.status, environment, scopes });
    },
    classify({ status }) {
      return { kind: status >= 500 ? 'transient' : 'token-refused' };
    },
  };
}

await using authority = await localAuthority();
const { cloud, ca, tenantId } = authority.accountOptions;
const provider = plainOAuth({
  issuer: `${authority.url}/${tenantId}/v2.0`,
  tokenEndpoint: `${authority.url}/${tenantId}/oauth2/v2.0/token`,
  clientId: 'inventory',
  clientSecret: 'secret-TEST-inventory',
});

// The API that the tokens are for: relative URLs resolve against it, and only its host gets the token.
const protocol = new Protocol({ protocolUrl: `https://${cloud.graphHost}/`, apiVersion: 'v1.0', defaultResource: '' });
await using account = new Account(
  { clientId: provider.clientId },
  {
    provider,
    protocol,
    ca,
    authFlowType: 'credentials',
    scopes: `https://${cloud.graphHost}/.default`,
    tokenBackend: new MemoryTokenBackend(),
  },
);

const users = (await (await account.connection.get('users')).json()) as { value: unknown[] };
console.log(`GET users: ${users.value.length}`);
await account.connection.get('users');
console.log(
  `token calls: ${authority
    .calls()
    .map((call) => call.grantType)
    .join(', ')}`,
);
