import { invalidArgument, nearestName } from '@tokenry/core/backend';
import type { Identity } from '../credentials/identity.js';
import { impersonationElement } from '../ews/impersonation.js';
import { escapeXml } from '../xml/escape.js';
import { ALL_SETTINGS, DEFAULT_SETTINGS, type SettingName } from './setting-names.js';

export const AUTODISCOVER_NS = 'http://schemas.microsoft.com/exchange/2010/Autodiscover';
const ACTION = `${AUTODISCOVER_NS}/Autodiscover/GetUserSettings`;

/** Newest first; a server that knows none of them says so, and the next is tried. */
export const SERVER_VERSIONS = ['Exchange2016', 'Exchange2010'] as const;

/** Which settings to ask for: what a result shows, all known ones, or a list. */
export type SettingsChoice = 'default' | 'all' | readonly SettingName[];

/** The names of a choice. @throws TypeError naming the nearest valid setting */
export function settingNames(choice: SettingsChoice = 'default'): readonly SettingName[] {
  if (choice === 'default') return DEFAULT_SETTINGS;
  if (choice === 'all') return ALL_SETTINGS;
  for (const name of choice) if (!ALL_SETTINGS.includes(name)) throw unknownSetting(String(name));
  return choice;
}

function unknownSetting(name: string): TypeError {
  const nearest = nearestName(name, ALL_SETTINGS);
  return invalidArgument(
    `Unknown setting "${name}"${nearest ? `; did you mean "${nearest}"?` : `. Valid: ${ALL_SETTINGS.join(', ')}.`}`,
  );
}

export interface GetUserSettingsRequest {
  readonly endpoint: URL;
  readonly addresses: readonly string[];
  readonly settings: readonly SettingName[];
  readonly version: string;
  readonly identity?: Identity | undefined;
}

/** Content-Type as outlook.com wants it: this case, this blank. */
export const SOAP_HEADERS = { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${ACTION}"` } as const;

/** The SOAP 1.1 envelope that asks for the settings of one or several mailboxes. */
export function getUserSettingsBody({ endpoint, addresses, settings, version, identity }: GetUserSettingsRequest): string {
  const users = addresses.map((address) => `<a:User><a:Mailbox>${escapeXml(address)}</a:Mailbox></a:User>`).join('');
  const names = settings.map((name) => `<a:Setting>${escapeXml(name)}</a:Setting>`).join('');
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="${AUTODISCOVER_NS}" xmlns:wsa="http://www.w3.org/2005/08/addressing">` +
    `<soap:Header><a:RequestedServerVersion>${version}</a:RequestedServerVersion><wsa:Action>${ACTION}</wsa:Action>` +
    `<wsa:To>${escapeXml(endpoint.href)}</wsa:To>${identity ? impersonationElement(identity) : ''}</soap:Header>` +
    `<soap:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users>${users}</a:Users>` +
    `<a:RequestedSettings>${names}</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></soap:Body></soap:Envelope>`
  );
}
