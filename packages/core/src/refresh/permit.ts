import { acquireLease, type Lease, type LeaseTiming } from '../backend/lease.js';
import type { LeaseProvider } from '../backend/token-backend.js';
import type { Clock } from '../clock.js';
import { TokenryError } from '../errors.js';
import { emit } from '../observability/events.js';
import type { StoredAccessToken } from '../tokens/access-token-index.js';
import type { TokenRequest } from './token-request.js';

/** A lease that was granted, or the fact that this kind of call goes without one. */
export type Permit = Pick<Lease, 'lost' | 'remainingMs' | 'release'>;
const WITHOUT_LEASE: Permit = { lost: false, remainingMs: () => Number.POSITIVE_INFINITY, release: async () => {} };

export interface PermitOptions {
  readonly leases: LeaseProvider;
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  /** Send refresh tokens even when the lease store cannot be reached. */
  readonly refreshWithoutLease: boolean;
  /** Looks for a token that somebody else stored; one that is found ends the wait. */
  readonly whileWaiting: () => Promise<StoredAccessToken | undefined>;
}

/**
 * The right to send the token call of a request, or the token that makes it unnecessary. Step 4 of the design.
 * @throws LeaseTimeoutError naming the holder; backend errors when there are no leases to be had.
 */
export async function permitFor(
  request: TokenRequest,
  options: PermitOptions,
): Promise<{ readonly lease: Permit } | { readonly adopted: StoredAccessToken }> {
  if (request.assertion !== undefined) return { lease: WITHOUT_LEASE };
  const { leases, timing, clock, whileWaiting } = options;
  try {
    return await acquireLease(leases, request.leaseName, { timing, clock, whileWaiting });
  } catch (error) {
    if (!mayGoWithoutLease(request, error, options)) throw error;
    emit('fault', () => ({ operation: 'lease', tokenKey: request.tokenKey, code: faultCode(error) }));
    return { lease: WITHOUT_LEASE };
  }
}

// An app-only call spends nothing that another process needs; a refresh token call may.
function mayGoWithoutLease({ grantType }: TokenRequest, error: unknown, { refreshWithoutLease }: PermitOptions): boolean {
  const isOutage = TokenryError.is(error) && error.code.startsWith('TOKENRY_BACKEND_');
  return isOutage && (grantType === 'client_credentials' || refreshWithoutLease);
}

/** The code of an error, for events. */
export function faultCode(error: unknown): string {
  return TokenryError.is(error) ? error.code : 'TOKENRY_UNKNOWN';
}
