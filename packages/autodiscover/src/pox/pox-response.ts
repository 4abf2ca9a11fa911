import { AutodiscoverError } from '../errors.js';
import type { XmlElement } from '../xml/element.js';
import { parseXml } from '../xml/parse.js';

/** One `Protocol` element. `fields` keeps every plain child under its own name. */
export interface PoxProtocol {
  /** `EXCH` (inside), `EXPR` (outside), `EXHTTP`, `WEB`, `mapiHttp`, `IMAP`, `POP3`, `SMTP`, … */
  readonly type: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly owaUrls: readonly {
    readonly side: 'internal' | 'external';
    readonly url: string;
    readonly authenticationMethod?: string;
  }[];
  /** `ASUrl`s nested under Internal and External of WEB. */
  readonly asUrls: readonly { readonly side: 'internal' | 'external'; readonly url: string }[];
  readonly mailStore?: PoxUrls;
  readonly addressBook?: PoxUrls;
}
export interface PoxUrls {
  readonly internalUrl?: string;
  readonly externalUrl?: string;
}
export interface PoxError {
  readonly code: string;
  readonly message: string;
}
/** A POX answer: settings, one of two redirects, or an error. */
export interface PoxResponse {
  readonly action?: 'settings' | 'redirectAddr' | 'redirectUrl' | (string & {});
  readonly redirectAddress?: string;
  readonly redirectUrl?: string;
  readonly error?: PoxError;
  readonly microsoftOnline?: boolean;
  readonly user: {
    readonly displayName?: string;
    readonly legacyDn?: string;
    readonly deploymentId?: string;
    readonly smtpAddress?: string;
  };
  readonly publicFolderAddress?: string;
  readonly protocols: readonly PoxProtocol[];
}

/** Reads a POX answer. @throws AutodiscoverError `MALFORMED_RESPONSE` when it is not one */
export function readPoxResponse(text: string): PoxResponse {
  const root = parseXml(text);
  if (root.local !== 'Autodiscover') throw malformed(`the root element is "${root.local.slice(0, 40)}"`);
  const response = root.child('Response');
  if (!response) throw malformed('there is no Response in it');
  const error = response.child('Error');
  if (error) return { error: readError(error), user: {}, protocols: [] };
  return readAccount(response.child('Account'), response);
}

function readAccount(account: XmlElement | undefined, response: XmlElement): PoxResponse {
  const action = account?.textOf('Action') ?? response.at('Action')?.children[0]?.local;
  // The mobile schema calls the same things Redirect and Url.
  const redirectAddress = account?.textOf('RedirectAddr') ?? response.at('Action')?.textOf('Redirect');
  const redirectUrl = account?.textOf('RedirectUrl');
  const online = account?.textOf('MicrosoftOnline');
  const publicFolderAddress = account?.child('PublicFolderInformation')?.textOf('SmtpAddress');
  return {
    ...(action === undefined ? {} : { action }),
    ...(action?.toLowerCase() === 'redirectaddr' && redirectAddress ? { redirectAddress } : {}),
    ...(action?.toLowerCase() === 'redirecturl' && redirectUrl ? { redirectUrl } : {}),
    ...(online === undefined ? {} : { microsoftOnline: /^true$/i.test(online) }),
    user: readUser(response.child('User')),
    ...(publicFolderAddress === undefined ? {} : { publicFolderAddress }),
    protocols: (account?.all('Protocol') ?? []).map(readProtocol),
  };
}

function readUser(user: XmlElement | undefined): PoxResponse['user'] {
  const fields = {
    displayName: 'DisplayName',
    legacyDn: 'LegacyDN',
    deploymentId: 'DeploymentId',
    smtpAddress: 'AutoDiscoverSMTPAddress',
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, local]) => {
      const value = user?.textOf(local);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function readProtocol(element: XmlElement): PoxProtocol {
  const fields: Record<string, string> = Object.create(null);
  for (const child of element.children) if (child.children.length === 0 && child.text !== '') fields[child.local] = child.text;
  const [mailStore, addressBook] = [readUrls(element.child('MailStore')), readUrls(element.child('AddressBook'))];
  return {
    type: element.textOf('Type') ?? element.attribute('Type') ?? '',
    fields,
    owaUrls: sides(element).flatMap(([side, at]) => at.all('OWAUrl').flatMap((url) => readOwaUrl(side, url))),
    asUrls: sides(element).flatMap(([side, at]) => {
      const url = at.child('Protocol')?.textOf('ASUrl');
      return url === undefined ? [] : [{ side, url }];
    }),
    ...(mailStore ? { mailStore } : {}),
    ...(addressBook ? { addressBook } : {}),
  };
}

function sides(element: XmlElement): ['internal' | 'external', XmlElement][] {
  return (['internal', 'external'] as const).flatMap((side) =>
    element.all(side).map((at): ['internal' | 'external', XmlElement] => [side, at]),
  );
}

function readOwaUrl(side: 'internal' | 'external', element: XmlElement): PoxProtocol['owaUrls'] {
  const authenticationMethod = element.attribute('AuthenticationMethod');
  return element.text === '' ? [] : [{ side, url: element.text, ...(authenticationMethod ? { authenticationMethod } : {}) }];
}

function readUrls(element: XmlElement | undefined): PoxUrls | undefined {
  if (!element) return undefined;
  const [internalUrl, externalUrl] = [element.textOf('InternalUrl'), element.textOf('ExternalUrl')];
  return { ...(internalUrl ? { internalUrl } : {}), ...(externalUrl ? { externalUrl } : {}) };
}

function readError(error: XmlElement): PoxError {
  return { code: error.textOf('ErrorCode') ?? '', message: error.textOf('Message') ?? '' };
}

function malformed(why: string): AutodiscoverError {
  return new AutodiscoverError(`The answer is not a POX document: ${why}.`, { code: 'MALFORMED_RESPONSE' });
}
