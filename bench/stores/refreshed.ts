import { randomBytes } from 'node:crypto';
import { CLIENT, homeAccountId, SCOPES, TENANT } from '../fixture.ts';

const [ACCESS, REFRESH] = [1100, 700].map((bytes) => randomBytes(bytes).toString('base64url'));

/** What a refresh of an account of the fixture brings. */
export function refreshed(index: number, round: number) {
  return {
    environment: 'login.windows.net',
    clientId: CLIENT,
    tenantId: TENANT,
    homeAccountId: homeAccountId(index),
    scopes: SCOPES,
    grantType: 'refresh_token',
    response: {
      token_type: 'Bearer',
      scope: SCOPES.join(' '),
      expires_in: 86_400,
      access_token: `at-TEST-${index}-${round}.${ACCESS}`,
      refresh_token: `rt-TEST-${index}-${round}.${REFRESH}`,
    },
  };
}
