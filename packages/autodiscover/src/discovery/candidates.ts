import { untilAborted } from '@tokenry/core/backend';
import type { DnsResolver } from '../dns/srv.js';
import { orderSrv, type SrvRecord } from '../dns/srv.js';
import { isTenantDomain } from '../trust/microsoft-hosts.js';
import { isRedirect, type Redirects } from './redirects.js';
import type { Session } from './session.js';

const SVC = '/autodiscover/autodiscover.svc';
const MAX_SRV_TARGETS = 4;

/** A server worth visiting, or a hint why a step gave none. */
export type Candidate = { readonly url: URL; readonly source: CandidateSource } | { readonly blocked: true };
export type CandidateSource = 'endpoint' | 'cache' | 'microsoft' | 'autodiscover-host' | 'domain' | 'http-redirect' | 'srv';

export interface CandidateOptions {
  readonly session: Session;
  readonly redirects: Redirects;
  readonly domain: string;
  readonly endpoint?: URL | undefined;
  /** Autodiscover host of the cloud where the mailbox seems to be. */
  readonly microsoftHost?: string | undefined;
  readonly dns: DnsResolver;
  readonly anySrvPort: boolean;
}

/** The servers to visit, in order; steps that cost a request of their own run only when everything before them failed. */
export async function* candidates(options: CandidateOptions): AsyncGenerator<Candidate> {
  const { domain, endpoint, microsoftHost } = options;
  if (endpoint) yield { url: endpoint, source: 'endpoint' };
  if (microsoftHost) yield { url: new URL(`https://${microsoftHost}${SVC}`), source: 'microsoft' };
  yield { url: new URL(`https://autodiscover.${domain}${SVC}`), source: 'autodiscover-host' };
  // There is no Autodiscover at contoso.onmicrosoft.com itself.
  if (!isTenantDomain(domain)) yield { url: new URL(`https://${domain}${SVC}`), source: 'domain' };
  yield* httpRedirect(options);
  yield* srvTargets(options);
}

/** The step that is plain HTTP by design: a GET without anything in it, whose answer is only a hint. */
async function* httpRedirect({ session, redirects, domain }: CandidateOptions): AsyncGenerator<Candidate> {
  const url = new URL(`http://autodiscover.${domain}/autodiscover/autodiscover.xml`);
  const sent = await session.anonymous('http-redirect', { method: 'GET', url });
  if ('failed' in sent) return;
  if (!isRedirect(sent.answer.status)) return sent.end('not-found', { detail: 'no redirect' });
  sent.end('redirected');
  const followed = await redirects.follow(sent.answer.headers.location, url, 'http');
  if (followed.kind === 'go') yield { url: followed.url, source: 'http-redirect' };
  else if (followed.reason === 'blocked') yield { blocked: true };
}

async function* srvTargets(options: CandidateOptions): AsyncGenerator<Candidate> {
  const { session, redirects, domain, anySrvPort } = options;
  const name = `_autodiscover._tcp.${domain}`;
  const records = orderSrv(await resolve(options, name), { anyPort: anySrvPort });
  for (const { name: host, port } of records.slice(0, MAX_SRV_TARGETS)) {
    const url = new URL(`https://${host}${port === 443 ? '' : `:${port}`}${SVC}`);
    const followed = await redirects.follow(url.href, new URL(`dns:${name}`), 'srv');
    if (followed.kind === 'go') yield { url: followed.url, source: 'srv' };
    else if (followed.reason === 'blocked') yield { blocked: true };
  }
  session.options.signal.throwIfAborted();
}

async function resolve({ session, dns, anySrvPort }: CandidateOptions, name: string): Promise<readonly SrvRecord[]> {
  const end = session.trace.start('srv', `dns:${name}`);
  try {
    const records = await untilAborted(dns.resolveSrv(name), session.options.signal);
    const usable = orderSrv(records, { anyPort: anySrvPort }).length;
    end(usable > 0 ? 'ok' : 'no-record', { detail: `${records.length} records, ${usable} usable` });
    return records;
  } catch (error) {
    session.options.signal.throwIfAborted();
    // No such name, no such record, server failure, time-out: for the search it is all the same.
    end('no-record', { detail: (error as { code?: string }).code ?? 'failed' });
    return [];
  }
}
