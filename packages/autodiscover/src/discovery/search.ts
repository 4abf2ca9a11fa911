import { sleep } from '@tokenry/core/backend';
import type { MailAddress } from '../address/mail-address.js';
import type { AutodiscoverCache } from '../cache/autodiscover-cache.js';
import type { SettingsEntry } from '../cache/entries.js';
import { cloudOfTenant, lookUpTenant, type TenantInfo } from '../cloud/tenant-lookup.js';
import type { Identity } from '../credentials/identity.js';
import { createResolver } from '../dns/srv.js';
import { AutodiscoverError } from '../errors.js';
import { isMicrosoftHost } from '../trust/microsoft-hosts.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import { type AnonymousAnswer, anonymousPhase } from './anonymous-phase.js';
import { type CandidateOptions, candidates } from './candidates.js';
import { clientFor } from './client-registry.js';
import type { Settled } from './discover-options.js';
import { failureOf } from './failure.js';
import { type Finding, mergeFindings } from './finding.js';
import { readAddress } from './redirect-target.js';
import { Redirects } from './redirects.js';
import { type VisitContext, visitServer } from './server-visit.js';
import { Session } from './session.js';
import type { Trace } from './trace.js';
import { findByV2 } from './v2-exchange.js';
import { failed, type VisitOutcome } from './visit-outcome.js';

const MAX_ADDRESS_HOPS = 10;
const BUSY_WAIT_MS = 500;
const MAX_BUSY_WAIT_MS = 5000;

export interface SearchOptions extends Settled {
  readonly policy: TrustPolicy;
  readonly signal: AbortSignal;
  readonly trace: Trace;
  readonly cache: AutodiscoverCache | undefined;
  readonly identity: Identity | undefined;
}
type Failed = Extract<VisitOutcome, { kind: 'failed' }>;
type Answer = { readonly finding: Finding } | Extract<VisitOutcome, { kind: 'redirect-address' }>;

/** The search over the network: anonymous services first, then servers one after the other, address by address. */
export class Search {
  readonly #options: SearchOptions;
  readonly #session: Session;
  readonly #redirects: Redirects;
  #tenant: TenantInfo | undefined;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#session = new Session({ ...options, client: clientFor(options.options) });
    this.#redirects = new Redirects(this.#session);
  }

  async run(start: MailAddress): Promise<Omit<SettingsEntry, 'storedAt'>> {
    const visited = [start.key];
    const path: string[] = [];
    let mailbox = start;
    for (;;) {
      const answer = await this.#discover(mailbox);
      if ('finding' in answer) {
        const tenant = this.#tenant ? { tenant: this.#tenant } : {};
        return { address: mailbox.address, redirectedFrom: path, finding: answer.finding, ...tenant };
      }
      path.push(mailbox.address);
      mailbox = await this.#nextAddress(answer, visited);
    }
  }

  async #nextAddress({ address, from }: Extract<Answer, { kind: 'redirect-address' }>, visited: string[]): Promise<MailAddress> {
    const { policy, trace } = this.#options;
    const next = readAddress(address);
    if (!next) throw this.#error('REDIRECT_BLOCKED', 'A server named an address that is not valid.');
    trace.hideMailbox(next.localPart);
    const end = trace.start('address', `mailto:${next.address}`);
    if (visited.includes(next.key)) {
      end('circular');
      throw this.#error('CIRCULAR_REDIRECT', 'Servers sent the address round in a circle.');
    }
    if (visited.length > MAX_ADDRESS_HOPS) {
      end('too-many-redirects');
      throw this.#error('TOO_MANY_REDIRECTS', `The mailbox had more than ${MAX_ADDRESS_HOPS} other addresses.`);
    }
    if (!(await policy.checkDomain(next.domain, next.address, from))) {
      end('blocked', { detail: 'the new address is in a domain outside the trust rules' });
      throw this.#error('REDIRECT_BLOCKED', `The mailbox moved to "${next.domain}", which nobody allowed.`);
    }
    end('ok');
    visited.push(next.key);
    policy.addMailDomain(next.domain);
    return next;
  }

  async #discover(mailbox: MailAddress): Promise<Answer> {
    const context: VisitContext = { ...this.#options, session: this.#session, redirects: this.#redirects, mailbox };
    const cached = await this.#visitCached(context);
    if (cached) return cached;
    const { askMicrosoft, cloud, scheme } = this.#options;
    const anonymous = await anonymousPhase(this.#session, mailbox, { cloud, askMicrosoft, tenant: this.#tenantOf(mailbox) });
    this.#tenant = anonymous.tenant ?? this.#tenant;
    // Nothing more to ask for without a way of signing in, or where the only servers left may not see it.
    if (anonymous.finding && !scheme) return { finding: anonymous.finding };
    return this.#visitAll(context, anonymous);
  }

  #tenantOf(mailbox: MailAddress): TenantInfo | undefined {
    return this.#tenant?.domain === mailbox.domain ? this.#tenant : undefined;
  }

  async #visitAll(context: VisitContext, before: AnonymousAnswer): Promise<Answer> {
    let anonymous = before;
    const failures: Failed[] = anonymous.blocked ? [{ kind: 'failed', reason: 'blocked' }] : [];
    const later: { readonly url: URL; readonly waitMs: number }[] = [];
    for await (const candidate of candidates(this.#candidateOptions(context.mailbox, anonymous))) {
      const outcome = 'blocked' in candidate ? failed('blocked') : await this.#visit(context, candidate.url);
      if (outcome.kind === 'found' || outcome.kind === 'redirect-address') return this.#answer(outcome, anonymous);
      if (outcome.kind === 'busy' && 'url' in candidate)
        later.push({ url: candidate.url, waitMs: outcome.retryAfterMs ?? BUSY_WAIT_MS });
      if (outcome.kind === 'failed') failures.push(outcome);
      anonymous = await this.#askAnonymously(context.mailbox, outcome, anonymous);
      if (anonymous.finding && !this.#options.scheme) return { finding: anonymous.finding };
      const onlyHintsLeft = 'source' in candidate && candidate.source === 'domain';
      if (anonymous.finding && onlyHintsLeft && later.length === 0) break;
    }
    for (const { url, waitMs } of later) {
      const outcome = await this.#visitAgain(context, url, waitMs);
      if (outcome.kind === 'failed') failures.push(outcome);
      else if (outcome.kind !== 'busy') return this.#answer(outcome, anonymous);
      else failures.push({ kind: 'failed', reason: 'server-busy', retryAfterMs: outcome.retryAfterMs });
    }
    return this.#withoutSettings(failures, anonymous);
  }

  /** A server that wants credentials may still tell anonymously where EWS is. */
  async #askAnonymously(mailbox: MailAddress, outcome: VisitOutcome, known: AnonymousAnswer): Promise<AnonymousAnswer> {
    const host = outcome.kind === 'failed' ? outcome.host : undefined;
    if (known.finding || host === undefined || host === `autodiscover.${mailbox.domain}`) return known;
    if (isMicrosoftHost(host) && !this.#options.askMicrosoft) return known;
    const finding = await findByV2(this.#session, host, mailbox);
    return finding === undefined || finding === 'blocked' ? known : { ...known, finding };
  }

  /** No server gave settings. What is known anonymously stands, unless a server said something about mailbox or credentials. */
  #withoutSettings(failures: readonly Failed[], { finding }: AnonymousAnswer): Answer {
    const error = failureOf(failures, this.#options.trace.steps);
    const decisive = ['TOKENRY_AUTODISCOVER_MAILBOX_NOT_FOUND', 'TOKENRY_AUTODISCOVER_AUTH_FAILED'].includes(error.code);
    if (!finding || decisive) throw error;
    return { finding };
  }

  async #visit(context: VisitContext, url: URL): Promise<VisitOutcome> {
    const outcome = await visitServer(context, url);
    // The server that was asked, not the one it sent this mailbox to: others of the domain may live elsewhere.
    if (outcome.kind === 'found') await this.#options.cache?.setEndpoint(this.#endpointKey(context.mailbox), url.href);
    return outcome;
  }

  /** A busy server is asked once more, as if it had never been visited. */
  async #visitAgain(context: VisitContext, url: URL, waitMs: number): Promise<VisitOutcome> {
    await sleep(this.#options.clock, Math.min(waitMs, MAX_BUSY_WAIT_MS), { signal: this.#options.signal, hold: true });
    return this.#visit({ ...context, redirects: new Redirects(this.#session) }, url);
  }

  /** The server that answered for this domain last time, if there is one; a server that fails is forgotten. */
  async #visitCached(context: VisitContext): Promise<Answer | undefined> {
    const { cache, policy, trace } = this.#options;
    const key = this.#endpointKey(context.mailbox);
    const entry = await cache?.getEndpoint(key);
    if (!cache || !entry) return undefined;
    const url = new URL(entry.url);
    const verdict = await policy.check(url, context.mailbox.domain, 'https');
    trace.start('cache', url)(verdict.allowed ? 'endpoint' : 'blocked');
    if (!verdict.allowed) return undefined;
    const [outcome, tenant] = await Promise.all([
      this.#visit({ ...context, redirects: new Redirects(this.#session) }, url),
      this.#options.askMicrosoft
        ? lookUpTenant(this.#session, context.mailbox.domain, { cloud: this.#options.cloud, userRealm: false })
        : undefined,
    ]);
    this.#tenant = tenant ?? this.#tenant;
    if (outcome.kind === 'found') return { finding: outcome.finding };
    if (outcome.kind === 'redirect-address') return outcome;
    // Another mailbox of the domain may live elsewhere, and a password may be wrong: neither speaks against the server.
    const innocent =
      outcome.kind === 'busy' ||
      outcome.reason === 'refused' ||
      outcome.reason === 'mailbox-not-found' ||
      outcome.reason === 'no-credentials';
    if (!innocent) await cache.deleteEndpoint(key);
    return undefined;
  }

  #answer(outcome: Extract<VisitOutcome, { kind: 'found' | 'redirect-address' }>, { finding }: AnonymousAnswer): Answer {
    return outcome.kind === 'found' ? { finding: mergeFindings(outcome.finding, finding) } : outcome;
  }

  #candidateOptions(mailbox: MailAddress, { finding }: AnonymousAnswer): CandidateOptions {
    const { endpoint, options, cloud } = this.#options;
    const tenant = this.#tenantOf(mailbox);
    const online = finding?.ews?.externalUrl !== undefined && isOnline(finding.ews.externalUrl, cloud?.exchangeHost);
    const microsoft = cloud ?? (tenant && cloudOfTenant(tenant));
    return {
      session: this.#session,
      redirects: this.#redirects,
      domain: mailbox.domain,
      endpoint,
      microsoftHost: online ? microsoft?.autodiscoverHost : undefined,
      dns: options.dns ?? createResolver(),
      anySrvPort: options.allowSrvPorts === true,
    };
  }

  #endpointKey({ domain }: MailAddress): string {
    return `${domain} ${this.#options.cloud?.name ?? ''} ${this.#options.endpoint?.href ?? ''}`;
  }
  #error(code: 'REDIRECT_BLOCKED' | 'CIRCULAR_REDIRECT' | 'TOO_MANY_REDIRECTS', message: string): AutodiscoverError {
    return new AutodiscoverError(message, { code, trace: this.#options.trace.steps });
  }
}

function isOnline(url: string, exchangeHost: string | undefined): boolean {
  const { hostname } = new URL(url);
  return isMicrosoftHost(hostname) || hostname === exchangeHost;
}
