import { nodeCrypto } from '../node-crypto.js';
import { encodeName } from './record-key.js';

export interface LeaseNameParts {
  /** `backend.id`. */
  readonly backendId: string;
  readonly tokenKey: string;
  readonly authority: string;
  /** Client id, or family id where clients share refresh tokens. */
  readonly clientId: string;
  /** Whose refresh token it is; absent for app-only tokens. */
  readonly homeAccountId?: string | undefined;
  /** What an app-only token is for; order does not matter. */
  readonly scopes?: readonly string[] | undefined;
}

/**
 * The name of the lease on one refresh token (or on one app-only token): begins with the token key for whoever reads
 * logs, ends in a hash of everything, and holds only `a-z 0-9 _ . - =`, at most 81 of them.
 */
export function leaseName(parts: LeaseNameParts): string {
  const { backendId, tokenKey, authority, clientId, homeAccountId = null, scopes = [] } = parts;
  const identity = JSON.stringify([
    backendId,
    tokenKey,
    authority,
    clientId,
    homeAccountId,
    homeAccountId === null ? [...scopes].sort() : [],
  ]);
  return `${encodeName(tokenKey).slice(0, 40)}.${nodeCrypto().createHash('sha256').update(identity).digest('hex').slice(0, 40)}`;
}
