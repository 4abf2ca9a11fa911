import type { MailAddress } from '../address/mail-address.js';
import { offered } from '../auth/authorized-exchange.js';
import { type AuthChallenge, parseChallenges } from '../auth/challenges.js';
import type { Identity } from '../credentials/identity.js';
import type { HttpAnswer } from '../http/http-client.js';
import type { SettingName } from '../soap/setting-names.js';
import { askPox } from './pox-exchange.js';
import { isRedirect, type Redirects } from './redirects.js';
import type { Session } from './session.js';
import { askSoap } from './soap-exchange.js';
import { failed, type VisitOutcome } from './visit-outcome.js';

export interface VisitContext {
  readonly session: Session;
  readonly redirects: Redirects;
  readonly mailbox: MailAddress;
  readonly settings: readonly SettingName[];
  readonly identity: Identity | undefined;
}

/** What the anonymous look at a server showed. */
export interface Probe {
  readonly challenges: readonly AuthChallenge[];
  /** The server asked for credentials. */
  readonly wantsCredentials: boolean;
}

/** Visits one Autodiscover server: an anonymous look, then SOAP, then POX. Redirects are followed as far as the rules allow. */
export async function visitServer(context: VisitContext, url: URL): Promise<VisitOutcome> {
  const { redirects, mailbox } = context;
  const { soapUrl, poxUrl } = endpointsOf(url);
  if (!redirects.firstVisit(soapUrl, mailbox.key)) return failed('nothing');
  const probe = await probeServer(context, poxUrl);
  if ('kind' in probe) return probe;
  const soap = await askSoap(context, soapUrl, probe);
  if (!isInconclusive(soap)) return soap;
  const pox = await askPox(context, poxUrl, probe);
  // SOAP may have told more than "nothing here".
  return isInconclusive(pox) && soap.kind === 'failed' && soap.reason !== 'nothing' ? soap : pox;
}

/** The two addresses of one server: the given path, with the other kind's extension. */
export function endpointsOf(url: URL): { readonly soapUrl: URL; readonly poxUrl: URL } {
  const [soapUrl, poxUrl] = [new URL(url), new URL(url)];
  soapUrl.pathname = url.pathname.replace(/\.xml$/i, '.svc');
  poxUrl.pathname = url.pathname.replace(/\.svc$/i, '.xml');
  return { soapUrl, poxUrl };
}

/** An anonymous GET without any address in it: is there a server, who is it, and what does it want? */
async function probeServer(context: VisitContext, url: URL): Promise<Probe | VisitOutcome> {
  const { session } = context;
  const probe = session.maySignIn(url) ? session.scheme?.probe : undefined;
  const sent = await session.anonymous('probe', {
    method: 'GET',
    url,
    headers: probe === undefined ? {} : { authorization: probe },
  });
  if ('failed' in sent) return failed('nothing');
  const { answer, end } = sent;
  if (isRedirect(answer.status)) {
    end('redirected');
    return followRedirect(context, answer, url);
  }
  const challenges = parseChallenges(answer.distinct['www-authenticate']);
  end(answer.status === 401 ? 'wants-credentials' : answer.status === 404 ? 'not-found' : 'ok', {
    detail: describe(answer, challenges),
  });
  return { challenges, wantsCredentials: answer.status === 401 };
}

function describe(answer: HttpAnswer, challenges: readonly AuthChallenge[]): string | undefined {
  const flags = ['x-soap-enabled', 'x-oauth-enabled', 'x-wssecurity-enabled'].filter((name) =>
    /^true$/i.test(String(answer.headers[name])),
  );
  const schemes = challenges.map(({ scheme }) => scheme);
  return (
    [schemes.length > 0 ? `offers ${[...new Set(schemes)].join(', ')}` : '', ...flags].filter(Boolean).join('; ') || undefined
  );
}

/** Follows an HTTP redirect and starts over at its target. */
export async function followRedirect(context: VisitContext, answer: HttpAnswer, from: URL): Promise<VisitOutcome> {
  const followed = await context.redirects.follow(answer.headers.location, from, 'https');
  return followed.kind === 'go' ? visitServer(context, followed.url) : failed(followed.reason);
}

/** Whether the next protocol should be tried on the same server. */
function isInconclusive(outcome: VisitOutcome): boolean {
  return outcome.kind === 'failed' && (outcome.reason === 'nothing' || outcome.reason === 'server-error');
}

/** Why a server that wants credentials gets none; `undefined` when it may have them. */
export function obstacleTo({ session }: VisitContext, url: URL, challenges: readonly AuthChallenge[]): string | undefined {
  const { scheme } = session;
  if (!scheme || !session.maySignIn(url)) return 'no-credentials';
  return scheme.needsNoOffer || offered(challenges, scheme) ? undefined : 'scheme-not-offered';
}
