import type { Cloud } from '@tokenry/core';

/** Where one Microsoft cloud keeps its doors. Structurally a core `Cloud`, so it can be given to an `Account`. */
export interface MicrosoftCloud extends Cloud {
  readonly name: string;
  /** Origin of the sign-in service, such as `https://login.microsoftonline.com`. */
  readonly authority: string;
  readonly graphHost: string;
  /** Host of EWS and OWA; scopes are made from it. */
  readonly exchangeHost: string;
  /** Host whose certificate covers Autodiscover of this cloud. */
  readonly autodiscoverHost: string;
  /** Other host names of the sign-in service. */
  readonly authorityAliases: readonly string[];
  /** Further hosts that take tokens for `exchangeHost`. */
  readonly exchangeAliases: readonly string[];
}

export type CloudName = 'global' | 'usgov' | 'usgov-dod' | 'china';

/**
 * The clouds with known Exchange endpoints. Sources: microsoft/CSS-Exchange `Get-CloudServiceEndpoint.ps1`,
 * learn.microsoft.com/graph/deployments, MSAL.js `AuthorityMetadata.ts`. GCC lives in `global`; GCC High is `usgov`.
 */
export const CLOUDS: Readonly<Record<CloudName, MicrosoftCloud>> = Object.freeze({
  global: cloud('global', 'login.microsoftonline.com', 'graph.microsoft.com', {
    exchangeHost: 'outlook.office365.com',
    autodiscoverHost: 'autodiscover-s.outlook.com',
    authorityAliases: ['login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    exchangeAliases: ['outlook.office.com', 'autodiscover-s.outlook.com'],
  }),
  usgov: cloud('usgov', 'login.microsoftonline.us', 'graph.microsoft.us', {
    exchangeHost: 'outlook.office365.us',
    autodiscoverHost: 'autodiscover-s.office365.us',
    authorityAliases: ['login.usgovcloudapi.net'],
    exchangeAliases: ['autodiscover-s.office365.us'],
  }),
  'usgov-dod': cloud('usgov-dod', 'login.microsoftonline.us', 'dod-graph.microsoft.us', {
    exchangeHost: 'outlook-dod.office365.us',
    autodiscoverHost: 'autodiscover-s-dod.office365.us',
    authorityAliases: ['login.usgovcloudapi.net'],
    exchangeAliases: ['autodiscover-s-dod.office365.us'],
  }),
  china: cloud('china', 'login.partner.microsoftonline.cn', 'microsoftgraph.chinacloudapi.cn', {
    exchangeHost: 'partner.outlook.cn',
    autodiscoverHost: 'autodiscover-s.partner.outlook.cn',
    authorityAliases: ['login.chinacloudapi.cn'],
    exchangeAliases: ['autodiscover-s.partner.outlook.cn'],
  }),
});

/** Sign-in hosts of sovereign clouds whose Exchange and Graph hosts Microsoft has not published yet. */
export const IDENTITY_ONLY_HOSTS: readonly string[] = Object.freeze([
  'login.sovcloud-identity.fr',
  'login.sovcloud-identity.de',
  'login.sovcloud-identity.sg',
]);

function cloud(
  name: CloudName,
  loginHost: string,
  graphHost: string,
  hosts: Pick<MicrosoftCloud, 'exchangeHost' | 'autodiscoverHost' | 'authorityAliases' | 'exchangeAliases'>,
): MicrosoftCloud {
  return Object.freeze({ name, authority: `https://${loginHost}`, graphHost, ...hosts });
}

/** The table's entry for a name; any other cloud object is completed with what it leaves out. */
export function resolveCloud(of: CloudName | Cloud | undefined): MicrosoftCloud {
  if (of === undefined) return CLOUDS.global;
  if (typeof of === 'string') return CLOUDS[of];
  const exchangeHost = of.exchangeHost ?? CLOUDS.global.exchangeHost;
  return Object.freeze({ autodiscoverHost: exchangeHost, authorityAliases: [], exchangeAliases: [], ...of, exchangeHost });
}

/** Every host that may receive a token issued for this cloud's Exchange. */
export function exchangeHostsOf(of: MicrosoftCloud): readonly string[] {
  return [of.exchangeHost, of.autodiscoverHost, ...of.exchangeAliases];
}
