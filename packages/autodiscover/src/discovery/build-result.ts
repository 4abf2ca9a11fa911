import type { SettingsEntry } from '../cache/entries.js';
import { CLOUDS } from '../cloud/clouds.js';
import { cloudOfTenant } from '../cloud/tenant-lookup.js';
import { isMicrosoftHost } from '../trust/microsoft-hosts.js';
import { type DiscoveryResult, EWS_ONLINE_DEPRECATION, graphUrl, type MailboxLocation } from './discovery-result.js';
import { type Finding, settingsOf } from './finding.js';
import type { TraceStep } from './trace.js';

export interface ResultContext {
  readonly source: DiscoveryResult['source'];
  readonly trace: readonly TraceStep[];
  /** Hosts of the cloud that count as Microsoft's beside the known ones. */
  readonly cloudHosts: readonly string[];
  readonly createFetch: (urls: readonly string[]) => typeof globalThis.fetch;
}

/** What follows from an entry alone; worked out once, because a remembered entry is handed out again and again. */
interface Prepared {
  readonly fields: Omit<DiscoveryResult, 'services' | 'source' | 'trace'>;
  readonly services: Omit<DiscoveryResult['services'], 'ews'>;
  readonly ewsUrls: readonly string[];
}
const prepared = new WeakMap<SettingsEntry, Prepared>();

/** The result for an entry, fresh or remembered. */
export function buildResult(entry: SettingsEntry, { source, trace, cloudHosts, createFetch }: ResultContext): DiscoveryResult {
  const known = prepared.get(entry) ?? prepare(entry, cloudHosts);
  const { fields, services, ewsUrls } = known;
  prepared.set(entry, known);
  const { ews } = entry.finding;
  const withEws = ews ? { ...services, ews: ewsService(ews, () => createFetch(ewsUrls)) } : services;
  return { ...fields, services: withEws, source, trace };
}

function prepare(entry: SettingsEntry, cloudHosts: readonly string[]): Prepared {
  const { finding, tenant } = entry;
  const { ews } = finding;
  const location = locationOf(finding, cloudHosts);
  const settings = settingsOf(finding);
  const fields = {
    address: finding.smtpAddress ?? entry.address,
    redirectedFrom: entry.redirectedFrom,
    location,
    ...(tenant ? { cloud: tenant.cloud, tenantId: tenant.tenantId } : {}),
    mailboxVerified: finding.kind !== 'v2',
    ...(settings ? { settings } : {}),
    settingErrors: finding.settingErrors ?? [],
    endpoint: { url: finding.endpoint, kind: finding.kind },
    ...(finding.serverVersion ? { serverVersion: finding.serverVersion } : {}),
    authSchemes: finding.authSchemes,
    deprecations: location === 'exchange-online' && ews ? [EWS_ONLINE_DEPRECATION] : [],
  };
  return { fields, services: servicesOf(entry, location), ewsUrls: [ews?.externalUrl, ews?.internalUrl].filter(isHttps) };
}

/** Where the service is decides, not what a server calls itself; without a service its word has to do. */
function locationOf({ ews, microsoftOnline }: Finding, cloudHosts: readonly string[]): MailboxLocation {
  const url = ews?.externalUrl ?? ews?.internalUrl;
  if (url === undefined || !URL.canParse(url)) return microsoftOnline === true ? 'exchange-online' : 'unknown';
  const { hostname } = new URL(url);
  return isMicrosoftHost(hostname) || cloudHosts.includes(hostname) ? 'exchange-online' : 'on-premises';
}

function servicesOf({ finding, tenant }: SettingsEntry, location: MailboxLocation): Prepared['services'] {
  const { activeSync, owa, mapi, imap, pop3, smtp } = finding;
  const cloud = tenant ? cloudOfTenant(tenant) : CLOUDS.global;
  return {
    ...(location === 'exchange-online' ? { graph: { url: graphUrl({ graphHost: tenant?.graphHost ?? cloud.graphHost }) } } : {}),
    ...(activeSync ? { activeSync } : {}),
    ...(owa ? { owa } : {}),
    ...(mapi ? { mapi } : {}),
    ...(imap ? { imap } : {}),
    ...(pop3 ? { pop3 } : {}),
    ...(smtp ? { smtp } : {}),
  };
}

/** The fetch is made when it is first used: most callers want the URL alone. */
function ewsService(
  ews: NonNullable<Finding['ews']>,
  create: () => typeof globalThis.fetch,
): NonNullable<DiscoveryResult['services']['ews']> {
  let made: typeof globalThis.fetch | undefined;
  const fetch: typeof globalThis.fetch = (input, init) => {
    made ??= create();
    return made(input, init);
  };
  return { ...ews, fetch };
}

function isHttps(url: string | undefined): url is string {
  return url !== undefined && URL.canParse(url) && new URL(url).protocol === 'https:';
}
