import type { DecodedRecord } from '../backend/record-access.js';
import type { Clock } from '../clock.js';
import { AccountRemovedError, NotAuthenticatedError } from '../errors.js';
import type { TokenProvider } from '../provider/token-provider.js';
import { TokenCache } from '../tokens/token-cache.js';
import { refreshTokenIn, type TokenRequest } from './token-request.js';

/**
 * What the provider gets to see of a record: this account's entities only.
 * @throws AccountRemovedError when the account is gone; NotAuthenticatedError when it has no refresh token.
 */
export function sliceFor(
  request: TokenRequest,
  record: DecodedRecord | undefined,
  { provider, clock }: { readonly provider: TokenProvider; readonly clock: Clock },
): TokenCache {
  if (request.grantType === 'refresh_token') requireRefreshToken(record, request);
  const cache = record?.cache ?? new TokenCache();
  return cache.slice({
    ...(request.homeAccountId === undefined ? {} : { homeAccountId: request.homeAccountId }),
    ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
    clientId: provider.clientId,
    environment: provider.environments[0] ?? provider.issuer,
    now: () => clock.now(),
  });
}

function requireRefreshToken(record: DecodedRecord | undefined, request: TokenRequest): void {
  const { homeAccountId } = request;
  if (homeAccountId === undefined || !record?.cache.getAccount({ homeAccountId }))
    throw new AccountRemovedError('The account was signed out while a token was being obtained for it.');
  if (refreshTokenIn(record.cache, request) === undefined)
    throw new NotAuthenticatedError('The account has no refresh token for this application; it must sign in again.', {
      hint: 'A refresh token is issued with the scope offline_access, which is asked for by default, and is removed when the server refuses it.',
    });
}
