import type { TenantInfo } from '../cloud/tenant-lookup.js';
import type { Finding } from '../discovery/finding.js';

/** Which server answered for a domain. Valid until it fails. */
export interface EndpointEntry {
  readonly url: string;
  readonly storedAt: number;
}
/** What a server said about a mailbox. Fresh for a week, kept longer when it cannot be renewed. */
export interface SettingsEntry {
  readonly address: string;
  readonly redirectedFrom: readonly string[];
  readonly finding: Finding;
  readonly tenant?: TenantInfo;
  readonly storedAt: number;
}

const HOUR_MS = 3_600_000;
export const SETTINGS_FRESH_MS = 7 * 24 * HOUR_MS;
/** Settings older than this are renewed when the service they name does not answer. */
export const SUSPECT_AFTER_MS = HOUR_MS;
export const NEGATIVE_MS = 5 * 60_000;
/** Clocks differ a little between machines that share a store. */
const CLOCK_SLACK_MS = 5 * 60_000;

/** Reads a stored entry; anything that is not exactly one is `undefined`. `key` guards against files in each other's place. */
export function readEntry<Kind extends 'endpoint' | 'settings'>(
  kind: Kind,
  text: string,
  expected: { readonly key: string; readonly now: number },
): (Kind extends 'endpoint' ? EndpointEntry : SettingsEntry) | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.key !== expected.key || !isObject(value.entry)) return undefined;
  const { entry } = value;
  const { storedAt } = entry;
  if (typeof storedAt !== 'number' || !(storedAt > 0) || storedAt > expected.now + CLOCK_SLACK_MS) return undefined;
  const valid = kind === 'endpoint' ? isHttpsUrl(entry.url) : isSettingsEntry(entry);
  return valid ? (entry as never) : undefined;
}

export function writeEntry(key: string, entry: EndpointEntry | SettingsEntry): string {
  return JSON.stringify({ key, entry });
}

function isSettingsEntry(entry: Record<string, unknown>): boolean {
  const { address, redirectedFrom, finding, tenant } = entry;
  if (typeof address !== 'string' || !isStrings(redirectedFrom) || !isObject(finding)) return false;
  if (
    tenant !== undefined &&
    !(
      isObject(tenant) &&
      typeof tenant.tenantId === 'string' &&
      typeof tenant.cloud === 'string' &&
      typeof tenant.authority === 'string'
    )
  )
    return false;
  return (
    ['soap', 'pox', 'v2'].includes(String(finding.kind)) &&
    isHttpsUrl(finding.endpoint) &&
    isStrings(finding.authSchemes) &&
    isServices(finding)
  );
}

function isServices(finding: Record<string, unknown>): boolean {
  const { ews = {}, activeSync, owa, imap = [], pop3 = [], smtp = [], settings = {} } = finding;
  return (
    isObject(ews) &&
    [ews.externalUrl, ews.internalUrl].every((url) => url === undefined || typeof url === 'string') &&
    (ews.schemas === undefined || isStrings(ews.schemas)) &&
    (activeSync === undefined || (isObject(activeSync) && typeof activeSync.url === 'string')) &&
    (owa === undefined || (isObject(owa) && isStrings(owa.externalUrls) && isStrings(owa.internalUrls))) &&
    [imap, pop3, smtp].every(
      (servers) => Array.isArray(servers) && servers.every((server) => isObject(server) && typeof server.host === 'string'),
    ) &&
    isObject(settings) &&
    Object.values(settings).every(
      (setting) => isObject(setting) && (typeof setting.value === 'string' || Array.isArray(setting.value)),
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
function isHttpsUrl(value: unknown): boolean {
  return (
    typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:' && new URL(value).username === ''
  );
}
