import { TokenCache } from '@tokenry/core/tokens';

const CLIENT_ID = 'conformance-client';
const ENVIRONMENT = 'login.microsoftonline.com';
const TENANT = 'conformance-tenant';

/** The refresh token of account `name`, recognisable wherever it should not be. */
export const refreshTokenOf = (name: string): string => `rt-TEST-${name}`;

export const homeAccountIdOf = (name: string): string => `${name}-uid.${TENANT}`;

/** Adds what a token endpoint answers when `name` signs in. */
export function signIn(cache: TokenCache, name: string): void {
  cache.add({
    response: {
      token_type: 'Bearer',
      access_token: `at-TEST-${name}`,
      refresh_token: refreshTokenOf(name),
      id_token: `${base64url({ typ: 'JWT', alg: 'none' })}.${base64url(idTokenClaims(name))}.`,
      client_info: base64url({ uid: `${name}-uid`, utid: TENANT }),
      expires_in: 3600,
      scope: 'https://graph.microsoft.com/User.Read',
    },
    environment: ENVIRONMENT,
    clientId: CLIENT_ID,
    tenantId: TENANT,
    homeAccountId: homeAccountIdOf(name),
    username: usernameOf(name),
    scopes: ['https://graph.microsoft.com/User.Read'],
  });
}

/** A token cache that was never loaded, with these accounts signed in. */
export function signedIn(...names: readonly string[]): TokenCache {
  const cache = new TokenCache();
  for (const name of names) signIn(cache, name);
  return cache;
}

/** Account names in `cache`, sorted; none for an absent record. */
export function accountsIn(cache: TokenCache | undefined): readonly string[] {
  const accounts = cache?.getAccounts() ?? [];
  return accounts.map(({ homeAccountId }) => homeAccountId.replace(`-uid.${TENANT}`, '')).sort();
}

export function refreshTokenIn(cache: TokenCache | undefined, name: string): string | undefined {
  return cache?.getRefreshToken({ homeAccountId: homeAccountIdOf(name) })?.secret;
}

const usernameOf = (name: string): string => `${name}@conformance.example`;

const idTokenClaims = (name: string): object => ({
  iss: `https://${ENVIRONMENT}/${TENANT}/v2.0`,
  aud: CLIENT_ID,
  sub: `${name}-sub`,
  oid: `${name}-uid`,
  tid: TENANT,
  preferred_username: usernameOf(name),
  name,
});

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
