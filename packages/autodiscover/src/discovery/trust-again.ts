import type { SettingsEntry } from '../cache/entries.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { Finding } from './finding.js';

/** The usual case of a remembered entry, which needs to ask nobody: the same address, and a server within the rules. */
export function isPlainlyTrusted({ finding, redirectedFrom }: SettingsEntry, policy: TrustPolicy): boolean {
  return redirectedFrom.length === 0 && policy.tierOf(urlOf(finding)) !== undefined;
}

/** Whether this caller allows it: what was allowed when the entry was stored need not be. */
export async function isStillTrusted(
  { finding, address, redirectedFrom }: SettingsEntry,
  policy: TrustPolicy,
  mailDomain: string,
): Promise<boolean> {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const moved = redirectedFrom.length > 0 && domain !== mailDomain;
  if (moved && !(await policy.checkDomain(domain, address, finding.endpoint))) return false;
  if (moved) policy.addMailDomain(domain);
  const endpoint = new URL(finding.endpoint);
  return policy.tierOf(endpoint) !== undefined || (await policy.check(endpoint, mailDomain, 'https')).allowed;
}

const urls = new WeakMap<Finding, URL>();
function urlOf(finding: Finding): URL {
  const url = urls.get(finding) ?? new URL(finding.endpoint);
  urls.set(finding, url);
  return url;
}
