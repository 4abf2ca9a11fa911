/** Domains whose hosts only Microsoft can run Exchange on. */
export const MICROSOFT_DOMAINS: readonly string[] = Object.freeze([
  'outlook.com',
  'office365.com',
  'outlook.office.com',
  'office365.us',
  'partner.outlook.cn',
]);

/** Whether a host belongs to Microsoft's Exchange Online. */
export function isMicrosoftHost(host: string): boolean {
  return MICROSOFT_DOMAINS.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

/** Domains under which Microsoft 365 gives every tenant a name; their DNS is Microsoft's. */
const TENANT_DOMAINS: readonly string[] = ['onmicrosoft.com', 'onmicrosoft.us', 'partner.onmschina.cn'];

export function isTenantDomain(domain: string): boolean {
  return TENANT_DOMAINS.some((suffix) => domain.endsWith(`.${suffix}`));
}
