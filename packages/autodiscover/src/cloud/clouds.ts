import { type Cloud, type CloudName, clouds } from '@tokenry/core';
import { invalidArgument, nearestName } from '@tokenry/core/backend';

/** Where one Microsoft cloud keeps its doors: core's `Cloud`, and what only Exchange needs. */
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

/**
 * The clouds with known Exchange endpoints: core's table, with the hosts of Autodiscover and further names.
 * Sources: microsoft/CSS-Exchange `Get-CloudServiceEndpoint.ps1`, MSAL.js `AuthorityMetadata.ts`.
 */
export const CLOUDS: Readonly<Record<CloudName, MicrosoftCloud>> = Object.freeze({
  global: cloud('global', {
    autodiscoverHost: 'autodiscover-s.outlook.com',
    authorityAliases: ['login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    exchangeAliases: ['outlook.office.com'],
  }),
  usgov: cloud('usgov', {
    autodiscoverHost: 'autodiscover-s.office365.us',
    authorityAliases: ['login.usgovcloudapi.net'],
    exchangeAliases: [],
  }),
  'usgov-dod': cloud('usgov-dod', {
    autodiscoverHost: 'autodiscover-s-dod.office365.us',
    authorityAliases: ['login.usgovcloudapi.net'],
    exchangeAliases: [],
  }),
  china: cloud('china', {
    autodiscoverHost: 'autodiscover-s.partner.outlook.cn',
    authorityAliases: ['login.chinacloudapi.cn'],
    exchangeAliases: [],
  }),
});

export type { CloudName };

/** Sign-in hosts of sovereign clouds whose Exchange and Graph hosts Microsoft has not published yet. */
export const IDENTITY_ONLY_HOSTS: readonly string[] = Object.freeze([
  'login.sovcloud-identity.fr',
  'login.sovcloud-identity.de',
  'login.sovcloud-identity.sg',
]);

function cloud(
  name: CloudName,
  hosts: Pick<MicrosoftCloud, 'autodiscoverHost' | 'authorityAliases' | 'exchangeAliases'>,
): MicrosoftCloud {
  return complete({ ...clouds[name], ...hosts });
}

function complete(of: Cloud & Partial<MicrosoftCloud>): MicrosoftCloud {
  const exchangeHost = of.exchangeHost ?? clouds.global.exchangeHost ?? '';
  return Object.freeze({ autodiscoverHost: exchangeHost, authorityAliases: [], exchangeAliases: [], ...of, exchangeHost });
}

/** The table's entry for a name; any other cloud object is completed with what it leaves out. @throws TypeError for an unknown name */
export function resolveCloud(of: CloudName | Cloud | undefined): MicrosoftCloud {
  if (typeof of === 'object') return complete(of);
  const name = of ?? 'global';
  if (Object.hasOwn(CLOUDS, name)) return CLOUDS[name];
  const nearest = nearestName(String(name), Object.keys(CLOUDS));
  throw invalidArgument(
    `Unknown cloud "${String(name)}"; ${nearest ? `did you mean "${nearest}"?` : `use ${Object.keys(CLOUDS).join(', ')}.`}`,
  );
}

/** The same cloud as core's `Account` takes it. */
export function toCoreCloud({ name, authority, graphHost, exchangeHost }: MicrosoftCloud): CloudName | Cloud {
  return Object.hasOwn(CLOUDS, name) ? (name as CloudName) : { name, authority, graphHost, exchangeHost };
}

/** Every host that may receive a token issued for this cloud's Exchange. */
export function exchangeHostsOf(of: MicrosoftCloud): readonly string[] {
  return [of.exchangeHost, of.autodiscoverHost, ...of.exchangeAliases];
}
