import { randomBytes } from 'node:crypto';
import { TokenCache } from '@tokenry/core';

/** Accounts and records of realistic size: about 5.4 KB each, as Entra's tokens make them. Nothing in them is a secret. */
export const TENANT = '11111111-2222-3333-4444-555555555555';
export const CLIENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
export const SCOPES = ['https://graph.microsoft.com/User.Read'];

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const filler = (bytes: number) => randomBytes(bytes).toString('base64url');

export const objectId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
export const homeAccountId = (index: number) => `${objectId(index)}.${TENANT}`;
export const tokenKey = (index: number) => homeAccountId(index);

/** The record of one account, with a token that is good for a day. */
export function record(index: number): TokenCache {
  const cache = new TokenCache();
  const claims = {
    oid: objectId(index),
    tid: TENANT,
    sub: `sub-${index}`,
    preferred_username: `user${index}@contoso.example`,
    name: `User ${index}`,
    aud: CLIENT,
    ver: '2.0',
  };
  cache.add({
    environment: 'login.windows.net',
    clientId: CLIENT,
    tenantId: TENANT,
    scopes: SCOPES,
    grantType: 'authorization_code',
    response: {
      token_type: 'Bearer',
      scope: SCOPES.join(' '),
      expires_in: 86_400,
      access_token: `at-TEST-${index}.${filler(1100)}`,
      refresh_token: `rt-TEST-${index}.${filler(700)}`,
      id_token: `${base64({ alg: 'RS256', typ: 'JWT' })}.${base64(claims)}.${filler(256)}`,
      client_info: base64({ uid: objectId(index), utid: TENANT }),
    },
  });
  return cache;
}

/** Visits `count` indices in an order that no cache line and no branch predictor knows. */
export function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    const value = order[index] ?? 0;
    order[index] = order[other] ?? 0;
    order[other] = value;
  }
  return order;
}
