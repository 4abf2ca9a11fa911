import { nodeCrypto } from '../node-crypto.js';
import type { Grant } from '../provider/grant.js';
import type { AccessTokenRequest } from '../tokens/access-token-index.js';
import type { AccountInfo } from '../tokens/schema.js';
import type { TokenCache } from '../tokens/token-cache.js';

/** One wish for an access token, with everything resolved that selects it. */
export interface TokenRequest {
  readonly tokenKey: string;
  readonly grantType: 'refresh_token' | 'client_credentials' | 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  /** What finds the token in a record. */
  readonly match: AccessTokenRequest;
  /** Undefined for app-only and on-behalf-of requests. */
  readonly homeAccountId: string | undefined;
  /** Sent to the authorization server; undefined: its default. */
  readonly tenantId: string | undefined;
  readonly scopes: readonly string[];
  readonly claims: string | undefined;
  /** Who may refresh: one refresh token, or one app-only token. */
  readonly leaseName: string;
  /** Incoming assertion of an on-behalf-of request. */
  readonly assertion?: string;
}

/** What started a refresh. */
export interface RefreshTrigger {
  /** The token that was found wanting; it is never adopted again. */
  readonly secret: string | undefined;
  readonly expired: boolean;
  readonly account: AccountInfo | undefined;
  /** A claims challenge is answered by this call's own token only. */
  readonly adoptNothing: boolean;
  /** A token with less left is not adopted. */
  readonly minimumLifetimeMs: number;
}

/** Names a refresh within this process: equal ones are one, also where the same account was chosen in another way. */
export function flightKey({ leaseName, tenantId = '', scopes, claims = '' }: TokenRequest): string {
  return [leaseName, tenantId, scopes.join(' '), claims].join('\u0000');
}

/** What is sent for a request. */
export function grantOf(request: TokenRequest): Grant {
  if (request.assertion !== undefined)
    return { grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: request.assertion };
  if (request.homeAccountId === undefined) return { grantType: 'client_credentials' };
  return { grantType: 'refresh_token', homeAccountId: request.homeAccountId };
}

/** The refresh token that this request would spend. */
export function refreshTokenIn(cache: TokenCache | undefined, request: TokenRequest): string | undefined {
  if (!cache || request.homeAccountId === undefined) return undefined;
  return cache.getRefreshToken({ homeAccountId: request.homeAccountId, clientId: request.match.clientId })?.secret;
}

/** Tells refresh tokens apart without keeping them. */
export function refreshTokenDigest(secret: string | undefined): string | undefined {
  return secret === undefined ? undefined : nodeCrypto().createHash('sha256').update(secret).digest('base64url');
}
