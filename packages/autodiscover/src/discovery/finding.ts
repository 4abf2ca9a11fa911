import type { PoxProtocol, PoxResponse } from '../pox/pox-response.js';
import { authPackageScheme, fieldOf, isType, selectEws } from '../pox/pox-selection.js';
import type { ServerVersion, UserResponse } from '../soap/get-user-settings-response.js';
import { type ProtocolConnection, settingsFrom, type UserSettings, type WebClientUrl } from '../soap/user-settings.js';

export interface ServiceUrls {
  readonly externalUrl?: string;
  readonly internalUrl?: string;
}
export interface MailServer {
  readonly host: string;
  readonly port?: number;
  /** `SSL`, `TLS`, … as the server wrote it. */
  readonly encryption?: string;
}

/** What one server said, as plain JSON: this is what the cache keeps. */
export interface Finding {
  readonly kind: 'soap' | 'pox' | 'v2';
  /** The Autodiscover address that answered. */
  readonly endpoint: string;
  /** The mailbox's own address, where the server told it. */
  readonly smtpAddress?: string;
  readonly ews?: ServiceUrls & { readonly schemas?: readonly string[]; readonly version?: string };
  readonly activeSync?: { readonly url: string };
  readonly owa?: { readonly externalUrls: readonly string[]; readonly internalUrls: readonly string[] };
  readonly mapi?: { readonly mailStore?: ServiceUrls; readonly addressBook?: ServiceUrls };
  readonly imap?: readonly MailServer[];
  readonly pop3?: readonly MailServer[];
  readonly smtp?: readonly MailServer[];
  readonly serverVersion?: ServerVersion;
  readonly serverLocation?: string;
  readonly microsoftOnline?: boolean;
  readonly authSchemes: readonly string[];
  readonly settings?: UserSettings['raw'];
  /** Settings that the server could not give. */
  readonly settingErrors?: UserResponse['settingErrors'];
}

type Source = Pick<Finding, 'endpoint' | 'authSchemes'>;

export function findingFromSoap(user: UserResponse, serverVersion: ServerVersion | undefined, source: Source): Finding {
  const { known, raw } = user.settings;
  const ews = defined({
    externalUrl: known.ExternalEwsUrl,
    internalUrl: known.InternalEwsUrl,
    schemas: known.EwsSupportedSchemas,
    version: known.ExternalEwsVersion,
  });
  const owa = { externalUrls: urls(known.ExternalWebClientUrls), internalUrls: urls(known.InternalWebClientUrls) };
  return {
    kind: 'soap',
    ...source,
    ...defined({
      smtpAddress: known.AutoDiscoverSMTPAddress,
      ews: ews.externalUrl || ews.internalUrl ? ews : undefined,
      owa: owa.externalUrls.length + owa.internalUrls.length > 0 ? owa : undefined,
      imap: mailServers(known.ExternalImap4Connections, known.InternalImap4Connections),
      pop3: mailServers(known.ExternalPop3Connections, known.InternalPop3Connections),
      smtp: mailServers(known.ExternalSmtpConnections, known.InternalSmtpConnections),
      serverVersion,
      microsoftOnline: known.UserMSOnline,
      settingErrors: user.settingErrors.length > 0 ? user.settingErrors : undefined,
    }),
    settings: raw,
  };
}

function urls(list: readonly WebClientUrl[] | undefined): readonly string[] {
  return (list ?? []).flatMap(({ Url }) => (Url ? [Url] : []));
}

function mailServers(...lists: readonly (readonly ProtocolConnection[] | undefined)[]): readonly MailServer[] | undefined {
  const found = lists
    .flatMap((list) => list ?? [])
    .flatMap(({ Hostname, Port, EncryptionMethod }) => (Hostname ? [mailServer(Hostname, Port, EncryptionMethod)] : []));
  return found.length > 0 ? found : undefined;
}

function mailServer(host: string, port: string | undefined, encryption: string | undefined): MailServer {
  const number = Number(port);
  return {
    host,
    ...defined({ port: port && Number.isInteger(number) ? number : undefined, encryption: encryption || undefined }),
  };
}

export function findingFromPox(answer: PoxResponse, source: Source): Finding {
  const ews = selectEws(answer);
  const owa = answer.protocols.flatMap(({ owaUrls }) => owaUrls);
  const mapi = answer.protocols.find((protocol) => isType(protocol, 'mapiHttp'));
  const schemes = answer.protocols.flatMap((protocol) => authPackageScheme(protocol) ?? []);
  return {
    kind: 'pox',
    endpoint: source.endpoint,
    authSchemes: [...new Set([...source.authSchemes, ...schemes])],
    ...defined({
      smtpAddress: answer.user.smtpAddress,
      ews: ews.externalUrl || ews.internalUrl ? ews : undefined,
      owa: owa.length > 0 ? { externalUrls: side(owa, 'external'), internalUrls: side(owa, 'internal') } : undefined,
      mapi: mapi && defined({ mailStore: mapi.mailStore, addressBook: mapi.addressBook }),
      imap: poxServers(answer.protocols, 'IMAP'),
      pop3: poxServers(answer.protocols, 'POP3'),
      smtp: poxServers(answer.protocols, 'SMTP'),
      microsoftOnline: answer.microsoftOnline,
    }),
    settings: poxSettings(answer),
  };
}

function side(urls: PoxProtocol['owaUrls'], wanted: 'internal' | 'external'): readonly string[] {
  return urls.flatMap((found) => (found.side === wanted ? [found.url] : []));
}

function poxServers(protocols: readonly PoxProtocol[], type: string): readonly MailServer[] | undefined {
  const found = protocols.flatMap((protocol) => {
    const host = isType(protocol, type) ? fieldOf(protocol, 'Server') : undefined;
    const encryption = fieldOf(protocol, 'Encryption') ?? (/^off$/i.test(fieldOf(protocol, 'SSL') ?? '') ? undefined : 'SSL');
    return host ? [mailServer(host, fieldOf(protocol, 'Port'), encryption)] : [];
  });
  return found.length > 0 ? found : undefined;
}

/** POX fields under the names that SOAP gives them, and whole protocols as a collection of their own. */
function poxSettings({ user, protocols, publicFolderAddress }: PoxResponse): UserSettings['raw'] {
  const texts = {
    UserDisplayName: user.displayName,
    UserDN: user.legacyDn,
    UserDeploymentId: user.deploymentId,
    AutoDiscoverSMTPAddress: user.smtpAddress,
    PublicFolderInformation: publicFolderAddress,
  };
  const settings = Object.entries(texts).flatMap(([name, value]) =>
    value ? [[name, { type: 'StringSetting', value }] as const] : [],
  );
  const members = protocols.map(({ type, fields }) => ({ ...fields, Type: type }));
  return Object.fromEntries([...settings, ['PoxProtocols', { type: 'PoxProtocols', value: members }]]);
}

/** What the V2 service and a later, fuller answer say together: the fuller one wins, the first fills its gaps. */
export function mergeFindings(main: Finding, other: Finding | undefined): Finding {
  if (!other) return main;
  return { ...other, ...main, authSchemes: [...new Set([...main.authSchemes, ...other.authSchemes])] };
}

/** The typed settings of a finding. */
export function settingsOf(finding: Finding): UserSettings | undefined {
  return finding.settings && settingsFrom(finding.settings);
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };
/** Without the members that are `undefined`. */
function defined<T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>;
}
