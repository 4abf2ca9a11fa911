import type { MailAddress } from '../address/mail-address.js';
import { AutodiscoverError } from '../errors.js';
import { readV2Response, type V2Response, v2Url } from '../v2/v2-response.js';
import type { Finding } from './finding.js';
import { isRedirect, Redirects } from './redirects.js';
import type { Session } from './session.js';

/** How asking the anonymous V2 service ended. */
export type V2Outcome =
  | { readonly kind: 'found'; readonly url: string; readonly at: URL; readonly serverLocation?: string | undefined }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'blocked' };

const PATH = /^\/autodiscover\/autodiscover\.json(\/|$)/i;

/** Asks a host's V2 service where a protocol of this mailbox is served. No credential is involved. */
export async function askV2(session: Session, host: string, mailbox: MailAddress, protocol: string): Promise<V2Outcome> {
  const redirects = new Redirects(session);
  let url = v2Url(host, mailbox.address, protocol);
  // Unknown users are sent in circles: a URL seen before ends the search without an error.
  while (redirects.firstVisit(url, mailbox.key)) {
    const sent = await session.anonymous('v2', { method: 'GET', url });
    if ('failed' in sent) return { kind: 'nothing' };
    const { answer, end } = sent;
    if (!isRedirect(answer.status)) return judge(url, answer, end);
    end('redirected');
    const followed = await redirects.follow(answer.headers.location, url, 'v2');
    if (followed.kind === 'stop') return { kind: followed.reason === 'blocked' ? 'blocked' : 'nothing' };
    if (!PATH.test(followed.url.pathname)) return { kind: 'nothing' };
    url = followed.url;
  }
  return { kind: 'nothing' };
}

function judge(
  at: URL,
  { status, body }: { readonly status: number; readonly body: string },
  end: (outcome: string, more?: { detail?: string | undefined }) => void,
): V2Outcome {
  let response: V2Response;
  try {
    response = readV2Response(body);
  } catch (error) {
    if (!AutodiscoverError.is(error)) throw error;
    end(status === 200 ? 'not-autodiscover' : status === 404 ? 'not-found' : 'server-error');
    return { kind: 'nothing' };
  }
  if (response.kind === 'error') {
    end('not-found', { detail: `${response.code}: ${response.message}` });
    return { kind: 'nothing' };
  }
  if (!isHttps(response.url)) {
    end('not-autodiscover', { detail: 'the service is not https' });
    return { kind: 'nothing' };
  }
  end('ok');
  return { kind: 'found', url: response.url, at, serverLocation: response.serverLocation };
}

/** What V2 knows about a mailbox: EWS, and ActiveSync from the same server. */
export async function findByV2(session: Session, host: string, mailbox: MailAddress): Promise<Finding | 'blocked' | undefined> {
  const ews = await askV2(session, host, mailbox, 'EWS');
  if (ews.kind !== 'found') return ews.kind === 'blocked' ? 'blocked' : undefined;
  const activeSync = await askV2(session, ews.at.host, mailbox, 'ActiveSync');
  return {
    kind: 'v2',
    endpoint: `https://${ews.at.host}/autodiscover/autodiscover.json`,
    ews: { externalUrl: ews.url },
    ...(activeSync.kind === 'found' ? { activeSync: { url: activeSync.url } } : {}),
    ...(ews.serverLocation === undefined ? {} : { serverLocation: ews.serverLocation }),
    authSchemes: [],
  };
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:' && new URL(url).username === '';
}
