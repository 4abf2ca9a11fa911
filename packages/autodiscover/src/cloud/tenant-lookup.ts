import type { Session } from '../discovery/session.js';
import { AutodiscoverError } from '../errors.js';
import { CLOUDS, type CloudName, IDENTITY_ONLY_HOSTS, type MicrosoftCloud, resolveCloud } from './clouds.js';
import { type InstanceMetadata, instanceDiscoveryUrl, readInstanceDiscovery, selfEntry } from './instance-discovery.js';
import { cloudOf, type OpenIdTenant, openIdUrl, readOpenIdConfiguration } from './openid-configuration.js';
import { readUserRealm, type UserRealm, userRealmUrl } from './user-realm.js';

/** The Microsoft 365 tenant that owns a mail domain. */
export interface TenantInfo {
  readonly domain: string;
  readonly tenantId: string;
  /** `global` (GCC included), `usgov`, `usgov-dod`, `china`, or the sign-in host of a cloud that is not in the table. */
  readonly cloud: CloudName | (string & {});
  /** Origin of the sign-in service. */
  readonly authority: string;
  readonly graphHost?: string;
  /** Region as Entra names it: `WW`, `EU`, `USGov`, … */
  readonly regionScope?: string;
  readonly regionSubScope?: string;
  /** How the domain signs in; a hint. */
  readonly realm?: UserRealm;
}

/** Looks for the tenant of `domain`: the global cloud knows most, the others are asked when it does not. */
export async function lookUpTenant(
  session: Session,
  domain: string,
  options: { readonly cloud?: MicrosoftCloud | undefined; readonly userRealm?: boolean } = {},
): Promise<TenantInfo | undefined> {
  const authorities = options.cloud
    ? [[options.cloud.authority]]
    : [[CLOUDS.global.authority], [CLOUDS.usgov.authority, CLOUDS.china.authority]];
  for (const parallel of authorities) {
    const found = (await Promise.all(parallel.map((authority) => askOpenId(session, authority, domain)))).find(
      (tenant) => tenant,
    );
    if (found) return describe(session, found, { ...options, domain });
  }
  return undefined;
}

async function askOpenId(session: Session, authority: string, domain: string): Promise<OpenIdTenant | undefined> {
  const sent = await session.anonymous('tenant', { method: 'GET', url: openIdUrl(authority, domain) });
  if ('failed' in sent) return undefined;
  const tenant = attempt(() => readOpenIdConfiguration(sent.answer.body));
  sent.end(tenant === 'malformed' ? 'server-error' : tenant ? 'ok' : 'no-tenant');
  return tenant === 'malformed' ? undefined : tenant;
}

async function describe(
  session: Session,
  tenant: OpenIdTenant,
  {
    domain,
    cloud,
    userRealm = true,
  }: { readonly domain: string; readonly cloud?: MicrosoftCloud | undefined; readonly userRealm?: boolean },
): Promise<TenantInfo> {
  const name = cloud?.name ?? cloudOf(tenant);
  const known = name === undefined ? undefined : (cloud ?? CLOUDS[name as CloudName]);
  if (!known) await checkAuthority(session, tenant.authorityHost);
  const authority = known?.authority ?? `https://${tenant.authorityHost}`;
  const graphHost = known?.graphHost ?? tenant.graphHost;
  const realm = userRealm ? await askUserRealm(session, authority, domain) : undefined;
  return {
    domain,
    tenantId: tenant.tenantId,
    cloud: name ?? tenant.authorityHost,
    authority,
    ...(graphHost === undefined ? {} : { graphHost }),
    ...(tenant.regionScope === undefined ? {} : { regionScope: tenant.regionScope }),
    ...(tenant.regionSubScope === undefined ? {} : { regionSubScope: tenant.regionSubScope }),
    ...(realm === undefined ? {} : { realm }),
  };
}

async function askUserRealm(session: Session, authority: string, domain: string): Promise<UserRealm | undefined> {
  const sent = await session.anonymous('user-realm', { method: 'GET', url: userRealmUrl(authority, domain) });
  if ('failed' in sent) return undefined;
  const realm = attempt(() => readUserRealm(sent.answer.body));
  sent.end(realm === 'malformed' ? 'server-error' : 'ok');
  return realm === 'malformed' ? undefined : realm;
}

/** Fallbacks stay for the life of the process, as MSAL.NET's instance discovery rules ask. */
const fallbacks = new Map<string, InstanceMetadata>();

/**
 * Whether Microsoft knows a sign-in host; the table first, then instance discovery.
 * @throws AutodiscoverError `UNKNOWN_AUTHORITY`
 */
export async function checkAuthority(session: Session, host: string): Promise<InstanceMetadata> {
  const known = Object.values(CLOUDS).find((cloud) => [new URL(cloud.authority).host, ...cloud.authorityAliases].includes(host));
  if (known)
    return { ...selfEntry(new URL(known.authority).host), aliases: [new URL(known.authority).host, ...known.authorityAliases] };
  const remembered = fallbacks.get(host);
  if (IDENTITY_ONLY_HOSTS.includes(host) || remembered) return remembered ?? selfEntry(host);
  const sent = await session.anonymous('tenant', { method: 'GET', url: instanceDiscoveryUrl(host) });
  if ('failed' in sent) return remember(host);
  try {
    const metadata = readInstanceDiscovery(sent.answer.body, host);
    sent.end('ok');
    return metadata;
  } catch (error) {
    sent.end('server-error');
    if (AutodiscoverError.is(error) && error.code === 'TOKENRY_AUTODISCOVER_UNKNOWN_AUTHORITY') throw error;
    return remember(host);
  }
}

function remember(host: string): InstanceMetadata {
  const entry = selfEntry(host);
  if (fallbacks.size < 100) fallbacks.set(host, entry);
  return entry;
}

function attempt<T>(read: () => T): T | 'malformed' {
  try {
    return read();
  } catch (error) {
    if (AutodiscoverError.is(error)) return 'malformed';
    throw error;
  }
}

/** The cloud object of a tenant, for hosts and scopes. */
export function cloudOfTenant(tenant: TenantInfo): MicrosoftCloud {
  if (tenant.cloud in CLOUDS) return CLOUDS[tenant.cloud as CloudName];
  return resolveCloud({
    name: tenant.cloud,
    authority: tenant.authority,
    graphHost: tenant.graphHost ?? CLOUDS.global.graphHost,
  });
}
