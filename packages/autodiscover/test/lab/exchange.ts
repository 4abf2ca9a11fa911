import { parseXml } from '../../src/xml/parse.js';
import { type SoapUser, soapAnswer } from '../fixtures/answers.js';
import type { Handler, Reply } from './lab.js';

export interface ExchangeOptions {
  /** What `WWW-Authenticate` offers; absent: the server wants no credentials. */
  readonly offers?: string | string[];
  /** Value of `Authorization` that is accepted. @default any */
  readonly accepts?: string;
  /** The answer to GetUserSettings, by address. */
  readonly soap?: (address: string) => SoapUser | Reply;
  readonly pox?: (address: string) => string | Reply;
  /** The answer of the V2 service, by protocol. */
  readonly v2?: (protocol: string, address: string) => Reply | undefined;
}

const XML = { 'content-type': 'text/xml; charset=utf-8' };

/** The Autodiscover part of an Exchange server. */
export function exchange({ offers, accepts, soap, pox, v2 }: ExchangeOptions): Handler {
  return ({ method, path, headers, body }) => {
    const url = new URL(path, 'https://x.invalid');
    const name = url.pathname.toLowerCase();
    if (name.startsWith('/autodiscover/autodiscover.json')) {
      const address = url.searchParams.get('Email') ?? decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
      return v2?.(url.searchParams.get('Protocol') ?? '', address) ?? { status: 404 };
    }
    const { authorization = '' } = headers;
    const signedIn = / \S/.test(authorization) && (accepts === undefined || authorization === accepts);
    if (offers !== undefined && !signedIn)
      return { status: 401, headers: { 'www-authenticate': offers, 'x-soap-enabled': 'True' } };
    if (name === '/autodiscover/autodiscover.svc' && soap && method === 'POST') return answerSoap(soap, body);
    if (name === '/autodiscover/autodiscover.xml' && pox && method === 'POST') {
      const reply = pox(parseXml(body).at('Request')?.textOf('EMailAddress') ?? '');
      return typeof reply === 'string' ? { headers: XML, body: reply } : reply;
    }
    return { status: method === 'GET' && soap ? 405 : 404 };
  };
}

function answerSoap(soap: NonNullable<ExchangeOptions['soap']>, body: string): Reply {
  const users = parseXml(body).at('Body', 'GetUserSettingsRequestMessage', 'Request', 'Users')?.all('User') ?? [];
  const answers = users.map((user) => {
    const address = user.textOf('Mailbox') ?? '';
    return address === 'nobody@example.com' ? { code: 'InvalidUser', message: 'Nobody.' } : soap(address);
  });
  const reply = answers.find((answer): answer is Reply => 'status' in answer || 'body' in answer);
  return reply ?? { headers: XML, body: soapAnswer(answers as SoapUser[]) };
}

/** A web server that knows nothing of Autodiscover. */
export const webSite: Handler = () => ({
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Welcome</title>',
});
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Handler =>
  () => ({ status: code, headers });
export const redirectTo = (location: string, code = 302): Handler => status(code, { location });
