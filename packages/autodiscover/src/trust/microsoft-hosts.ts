/** Domains whose hosts only Microsoft can run Exchange on. */
export const MICROSOFT_DOMAINS: readonly string[] = Object.freeze([
  'outlook.com',
  'office365.com',
  'outlook.office.com',
  'office365.us',
  'partner.outlook.cn',
]);

const SUFFIXES: readonly string[] = MICROSOFT_DOMAINS.map((domain) => `.${domain}`);

/** Whether a host belongs to Microsoft's Exchange Online. */
export function isMicrosoftHost(host: string): boolean {
  for (let i = 0; i < SUFFIXES.length; i++) if (host === MICROSOFT_DOMAINS[i] || host.endsWith(SUFFIXES[i] ?? '')) return true;
  return false;
}

/** Domains under which Microsoft 365 gives every tenant a name; their DNS is Microsoft's. */
const TENANT_DOMAINS: readonly string[] = ['onmicrosoft.com', 'onmicrosoft.us', 'partner.onmschina.cn'];

export function isTenantDomain(domain: string): boolean {
  return TENANT_DOMAINS.some((suffix) => domain.endsWith(`.${suffix}`));
}
