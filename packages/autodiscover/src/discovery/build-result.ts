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

/** The result for an entry, fresh or remembered. */
export function buildResult(entry: SettingsEntry, context: ResultContext): DiscoveryResult {
  const { finding, tenant } = entry;
  const location = locationOf(finding, context.cloudHosts);
  const settings = settingsOf(finding);
  return Object.freeze({
    address: finding.smtpAddress ?? entry.address,
    redirectedFrom: entry.redirectedFrom,
    location,
    ...(tenant ? { cloud: tenant.cloud, tenantId: tenant.tenantId } : {}),
    services: services(entry, location, context),
    mailboxVerified: finding.kind !== 'v2',
    ...(settings ? { settings } : {}),
    settingErrors: finding.settingErrors ?? [],
    endpoint: { url: finding.endpoint, kind: finding.kind },
    ...(finding.serverVersion ? { serverVersion: finding.serverVersion } : {}),
    authSchemes: finding.authSchemes,
    source: context.source,
    deprecations: location === 'exchange-online' && finding.ews ? [EWS_ONLINE_DEPRECATION] : [],
    trace: context.trace,
  });
}

/** Where the service is decides, not what a server calls itself; without a service its word has to do. */
function locationOf({ ews, microsoftOnline }: Finding, cloudHosts: readonly string[]): MailboxLocation {
  const url = ews?.externalUrl ?? ews?.internalUrl;
  if (url === undefined || !URL.canParse(url)) return microsoftOnline === true ? 'exchange-online' : 'unknown';
  const { hostname } = new URL(url);
  return isMicrosoftHost(hostname) || cloudHosts.includes(hostname) ? 'exchange-online' : 'on-premises';
}

function services(
  { finding, tenant }: SettingsEntry,
  location: MailboxLocation,
  { createFetch }: ResultContext,
): DiscoveryResult['services'] {
  const { ews, activeSync, owa, mapi, imap, pop3, smtp } = finding;
  const cloud = tenant ? cloudOfTenant(tenant) : CLOUDS.global;
  return Object.freeze({
    ...(location === 'exchange-online'
      ? { graph: { url: graphUrl(tenant?.graphHost ? { graphHost: tenant.graphHost } : cloud) } }
      : {}),
    ...(ews ? { ews: ewsService(ews, createFetch) } : {}),
    ...(activeSync ? { activeSync } : {}),
    ...(owa ? { owa } : {}),
    ...(mapi ? { mapi } : {}),
    ...(imap ? { imap } : {}),
    ...(pop3 ? { pop3 } : {}),
    ...(smtp ? { smtp } : {}),
  });
}

/** The fetch is made when it is first used: most callers want the URL alone. */
function ewsService(
  ews: NonNullable<Finding['ews']>,
  createFetch: ResultContext['createFetch'],
): NonNullable<DiscoveryResult['services']['ews']> {
  const urls = [ews.externalUrl, ews.internalUrl].filter(
    (url): url is string => url !== undefined && URL.canParse(url) && new URL(url).protocol === 'https:',
  );
  let made: typeof globalThis.fetch | undefined;
  return {
    ...ews,
    fetch: (input, init) => {
      made ??= createFetch(urls);
      return made(input, init);
    },
  };
}
