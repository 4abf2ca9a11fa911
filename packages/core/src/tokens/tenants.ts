import type { CredentialEntity } from './schema.js';

/** Authority names that stand for "the account's own tenant". MSAL Python writes them as `realm`. */
const PSEUDO_TENANTS = new Set(['', 'common', 'organizations', 'consumers']);
/** Tenant ids are longer, which saves looking them up. */
const LONGEST_PSEUDO_TENANT = 'organizations'.length;

const GUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** Whether this names no tenant in particular. */
export function isPseudoTenant(tenant: string | null | undefined): boolean {
  const name = tenant ?? '';
  return name.length <= LONGEST_PSEUDO_TENANT && PSEUDO_TENANTS.has(name.toLowerCase());
}

/** Whether this is a tenant id, as opposed to a domain name. */
export function isTenantGuid(tenant: string): boolean {
  return GUID.test(tenant);
}

/** The tenant that a token is for, in lower case; that of its account is worked out where the token names none. */
export function tenantOfToken(token: CredentialEntity, homeTenant: () => string): string {
  return isPseudoTenant(token.realm) ? homeTenant() : (token.realm ?? '').toLowerCase();
}

/** The tenant whose tokens are meant, in lower case, beside the account's own. */
export interface WantedTenant {
  readonly id: string;
  readonly home: () => string;
}

/**
 * The tenant that a caller named. Naming none means the home tenant: a token for a tenant where the account is a guest must
 * not be handed to a caller who did not ask for that tenant.
 */
export function wantedTenant(named: string | undefined, home: () => string): WantedTenant {
  return { id: isPseudoTenant(named) ? home() : (named ?? '').toLowerCase(), home };
}

/** Whether a token is for this tenant. */
export function isForTenant(token: CredentialEntity, { id, home }: WantedTenant): boolean {
  return tenantOfToken(token, home) === id || token.tokenry_tenant === id;
}
