import { AutodiscoverError } from '../errors.js';
import { parseJsonObject } from '../v2/v2-response.js';
import { CLOUDS, type CloudName } from './clouds.js';

/** What Entra's OpenID configuration says about the owner of a domain. */
export interface OpenIdTenant {
  readonly tenantId: string;
  /** Host of the issuer: the cloud's sign-in service. */
  readonly authorityHost: string;
  /** `WW`, `NA`, `EU`, `USGov`, … */
  readonly regionScope?: string;
  /** `GCC`, `DODCON`, `DOD`; absent for commercial tenants. */
  readonly regionSubScope?: string;
  readonly graphHost?: string;
}

const ISSUER = /^https:\/\/([a-z0-9.-]+)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/v2\.0\/?$/i;

/** The document's address for a domain or tenant. */
export function openIdUrl(authority: string, tenant: string): URL {
  return new URL(`${new URL(authority).origin}/${encodeURIComponent(tenant)}/v2.0/.well-known/openid-configuration`);
}

/**
 * Reads the document; `undefined` when it says that there is no such tenant.
 * @throws AutodiscoverError `MALFORMED_RESPONSE`
 */
export function readOpenIdConfiguration(text: string): OpenIdTenant | undefined {
  const body = parseJsonObject(text);
  if (body.error === 'invalid_tenant' || [body.error_codes].flat().some((code) => code === 90002 || code === 900023))
    return undefined;
  const issuer = typeof body.issuer === 'string' ? ISSUER.exec(body.issuer) : null;
  if (!issuer) throw new AutodiscoverError('The OpenID configuration names no tenant.', { code: 'MALFORMED_RESPONSE' });
  const text_ = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : undefined);
  const [regionScope, regionSubScope, graphHost] = [
    text_('tenant_region_scope'),
    text_('tenant_region_sub_scope'),
    text_('msgraph_host'),
  ];
  return {
    tenantId: (issuer[2] ?? '').toLowerCase(),
    authorityHost: (issuer[1] ?? '').toLowerCase(),
    ...(regionScope === undefined ? {} : { regionScope }),
    ...(regionSubScope === undefined ? {} : { regionSubScope }),
    ...(graphHost === undefined ? {} : { graphHost }),
  };
}

/** Which known cloud a tenant lives in; `undefined` for a sign-in service that is not in the table. */
export function cloudOf({ authorityHost, regionScope, regionSubScope }: OpenIdTenant): CloudName | undefined {
  const sub = regionSubScope?.toUpperCase();
  if (sub === 'DOD') return 'usgov-dod';
  if (sub === 'DODCON' || regionScope?.toUpperCase() === 'USGOV') return 'usgov';
  const known = Object.entries(CLOUDS).find(
    ([, cloud]) => new URL(cloud.authority).host === authorityHost || cloud.authorityAliases.includes(authorityHost),
  );
  return known?.[0] as CloudName | undefined;
}
