import { TokenCache } from '@tokenry/core/tokens';

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token cache as a sign-in of this user leaves it. */
export function signedIn(name: string): TokenCache {
  const cache = new TokenCache();
  const claims = {
    oid: `${name}-oid`,
    tid: 'tenant',
    preferred_username: `${name}@contoso.example`,
    name,
    sub: name,
    iss: 'https://login.example/tenant/v2.0',
  };
  cache.add({
    response: {
      token_type: 'Bearer',
      access_token: `at-TEST-${name}`,
      refresh_token: `rt-TEST-${name}`,
      id_token: `${base64url({ alg: 'none' })}.${base64url(claims)}.x`,
      client_info: base64url({ uid: `${name}-oid`, utid: 'tenant' }),
      expires_in: 3_600,
      scope: 'User.Read openid profile',
    },
    environment: 'login.microsoftonline.com',
    clientId: 'client-id',
    tenantId: 'tenant',
    scopes: ['User.Read'],
  });
  return cache;
}
