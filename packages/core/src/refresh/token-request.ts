import type { AccessTokenRequest } from '../tokens/access-token-index.js';
import type { AccountInfo } from '../tokens/schema.js';

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
}

/** Names a refresh within this process: equal ones are one. */
export function flightKey(request: TokenRequest): string {
  return `${request.leaseName}\u0000${request.match.id}\u0000${request.claims ?? ''}`;
}
