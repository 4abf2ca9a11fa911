import type { Cloud } from './cloud.js';

/** Tenants that stand for "whoever signs in"; no application token can come from them. */
const SHARED_TENANTS: ReadonlySet<string> = new Set(['common', 'organizations', 'consumers']);

/** Where one tenant's authorization server listens. */
export interface Endpoints {
  /** As msal-node names an authority. */
  readonly authority: string;
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  readonly deviceCode: string;
  readonly logout: string;
}

/**
 * The endpoints of a tenant. Their layout is fixed in every Microsoft cloud, so that nothing has to be discovered.
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-protocols
 */
export function endpointsOf(cloud: Cloud, tenantId: string): Endpoints {
  const authority = `${cloud.authority}/${encodeURIComponent(tenantId)}`;
  const oauth2 = `${authority}/oauth2/v2.0`;
  return {
    authority,
    issuer: `${authority}/v2.0`,
    authorize: `${oauth2}/authorize`,
    token: `${oauth2}/token`,
    deviceCode: `${oauth2}/devicecode`,
    logout: `${oauth2}/logout`,
  };
}

/** Whether `tenantId` names no tenant in particular. */
export function isSharedTenant(tenantId: string): boolean {
  return SHARED_TENANTS.has(tenantId.toLowerCase());
}
