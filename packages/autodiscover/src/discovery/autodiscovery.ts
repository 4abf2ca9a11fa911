import { type MailAddress, parseMailAddress } from '../address/mail-address.js';
import { AutodiscoverCache } from '../cache/autodiscover-cache.js';
import { SETTINGS_FRESH_MS, type SettingsEntry, SUSPECT_AFTER_MS } from '../cache/entries.js';
import { exchangeHostsOf } from '../cloud/clouds.js';
import { BaseOAuth2Credentials } from '../credentials/base-oauth2-credentials.js';
import { Identity } from '../credentials/identity.js';
import { AutodiscoverError } from '../errors.js';
import { createEwsFetch } from '../ews/ews-fetch.js';
import { TrustPolicy } from '../trust/trust-policy.js';
import { buildResult } from './build-result.js';
import { clientFor } from './client-registry.js';
import { withDeadline } from './deadline.js';
import { type DiscoverOptions, type Settled, settle } from './discover-options.js';
import type { DiscoveryResult } from './discovery-result.js';
import { Search } from './search.js';
import { type StartedSearch, shareSearch } from './shared-search.js';
import { Trace, type TraceStep } from './trace.js';
import { isPlainlyTrusted, isStillTrusted } from './trust-again.js';

let sharedCache: AutodiscoverCache | undefined;
/** The cache of discoveries that are given none. */
export function defaultCache(): AutodiscoverCache {
  sharedCache ??= new AutodiscoverCache();
  return sharedCache;
}

/** Errors that say something about the mailbox which will still be true in a minute. */
const LASTING: ReadonlySet<string> = new Set(['TOKENRY_AUTODISCOVER_NOT_FOUND', 'TOKENRY_AUTODISCOVER_MAILBOX_NOT_FOUND']);
/** Errors that say nothing about the mailbox: what was known before stays. */
const PASSING: ReadonlySet<string> = new Set(
  ['NOT_FOUND', 'SERVER_BUSY', 'SERVER_ERROR', 'TIMEOUT', 'REDIRECT_BLOCKED', 'TOO_MANY_REDIRECTS'].map(
    (name) => `TOKENRY_AUTODISCOVER_${name}`,
  ),
);

/**
 * One discovery, for callers who want its trace even when it is aborted; `discover()` is the short form.
 *
 * @example
 * ```ts
 * const autodiscovery = new Autodiscovery('ada@corp.example');
 * const result = await autodiscovery.discover().finally(() => console.log(autodiscovery.trace));
 * ```
 */
export class Autodiscovery {
  readonly address: string;
  readonly #mailbox: MailAddress;
  readonly #settled: Settled;
  readonly #cache: AutodiscoverCache | undefined;
  #trace: Trace;

  /** @throws AutodiscoverError `INVALID_ADDRESS`; TypeError or RangeError for options */
  constructor(address: string, options: DiscoverOptions = {}) {
    this.#settled = settle(options);
    this.#mailbox = parseMailAddress(address);
    this.address = this.#mailbox.address;
    const { cache } = this.#settled.options;
    this.#cache = cache === false ? undefined : (cache ?? defaultCache());
    this.#trace = this.#newTrace();
  }

  /** The steps so far. */
  get trace(): readonly TraceStep[] {
    return this.#trace.steps;
  }

  /**
   * Finds the mailbox, from the cache or over the network.
   * @throws AutodiscoverError with a code, a trace and `explain()`; the reason of `signal` when it aborts
   */
  async discover(): Promise<DiscoveryResult> {
    const { options, cacheKey } = this.#settled;
    options.signal?.throwIfAborted();
    if (this.#trace.length > 0) this.#trace = this.#newTrace();
    const key = `${this.#mailbox.key} ${cacheKey.text}`;
    const known = options.refresh ? undefined : await this.#remembered(key);
    if (known && !known.renew) return this.#result(known.entry, known.layer === 'memory' ? 'memory' : 'store', key, known.policy);
    const negative = known || options.refresh ? undefined : this.#cache?.getNegative(key);
    if (negative) throw this.#again(negative);
    return this.#search(key, known?.entry);
  }

  async #search(key: string, old: SettingsEntry | undefined): Promise<DiscoveryResult> {
    const { options, cacheKey } = this.#settled;
    let policy: TrustPolicy | undefined;
    try {
      const entry = await shareSearch(
        `${this.address} ${cacheKey.text}`,
        options,
        (signal) => this.#start(key, signal),
        (search) => {
          this.#trace = search.trace;
          policy = search.policy;
        },
      );
      this.#trace = this.#trace.copy();
      return this.#result(entry, 'network', key, policy);
    } catch (error) {
      this.#trace = this.#trace.copy();
      // Rather last week's answer than none, as Microsoft advises for a failed renewal.
      if (old && AutodiscoverError.is(error) && PASSING.has(error.code)) return this.#result(old, 'stale', key, policy);
      throw error;
    }
  }

  /** Starts a search on behalf of everybody who wants the same; it has none of their signals. */
  #start(key: string, signal: AbortSignal): StartedSearch {
    const { options } = this.#settled;
    const [policy, trace] = [this.#newPolicy(), this.#newTrace()];
    const search = { ...this.#settled, policy, trace, cache: this.#cache, identity: this.#identity() };
    const work = (ends: AbortSignal) => new Search({ ...search, signal: ends }).run(this.#mailbox);
    const found = withDeadline({ ...this.#settled, signal, client: clientFor(options), trace }, work);
    return { policy, trace, found: this.#remember(key, found) };
  }

  /** What was found, or that nothing was: once, for everybody who waits. */
  async #remember(key: string, found: Promise<Omit<SettingsEntry, 'storedAt'>>): Promise<SettingsEntry> {
    const { clock, cacheKey } = this.#settled;
    try {
      const entry = { ...(await found), storedAt: clock.now() };
      await this.#cache?.setSettings(key, entry, cacheKey.persist);
      return entry;
    } catch (error) {
      if (AutodiscoverError.is(error) && LASTING.has(error.code)) this.#cache?.setNegative(key, error);
      throw error;
    }
  }

  async #remembered(key: string) {
    if (!this.#cache) return undefined;
    const known = this.#cache.peekSettings(key) ?? (await this.#cache.getSettings(key, this.#settled.cacheKey.persist));
    if (!known) return undefined;
    const policy = this.#newPolicy();
    const { domain } = this.#mailbox;
    if (!isPlainlyTrusted(known.entry, policy) && !(await isStillTrusted(known.entry, policy, domain))) return undefined;
    const age = this.#settled.clock.now() - known.entry.storedAt;
    return { entry: known.entry, layer: known.layer, policy, renew: known.suspect || age > SETTINGS_FRESH_MS };
  }

  #result(entry: SettingsEntry, source: DiscoveryResult['source'], key: string, policy = this.#newPolicy()): DiscoveryResult {
    if (source !== 'network') this.#trace.start('cache')(source);
    const { options, scheme, clock, timeoutMs } = this.#settled;
    if (entry.redirectedFrom.length > 0) policy.addMailDomain(entry.address.slice(entry.address.lastIndexOf('@') + 1));
    return buildResult(entry, {
      source,
      trace: this.#trace.steps,
      cloudHosts: this.#cloudHosts(),
      createFetch: (urls) =>
        createEwsFetch({
          client: clientFor(options),
          policy,
          scheme,
          mailbox: entry.finding.smtpAddress ?? entry.address,
          identity: this.#identity(entry.finding.smtpAddress ?? entry.address),
          urls,
          timeoutMs,
          onUnavailable: () => {
            if (clock.now() - entry.storedAt > SUSPECT_AFTER_MS) this.#cache?.suspectSettings(key);
          },
        }),
    });
  }

  /** Whom requests impersonate: the identity of the credentials, or the mailbox owner where the access type says so. */
  #identity(mailbox?: string): Identity | undefined {
    const { options, accessType } = this.#settled;
    const own = options.credentials instanceof BaseOAuth2Credentials ? options.credentials.identity : undefined;
    if (own || accessType === 'delegate' || mailbox === undefined) return own;
    return new Identity({ primarySmtpAddress: mailbox });
  }

  #newTrace(): Trace {
    const trace = new Trace(this.#settled.clock);
    trace.hideMailbox(this.#mailbox.localPart);
    return trace;
  }
  #newPolicy(): TrustPolicy {
    const { options, trustedHosts } = this.#settled;
    const policy = new TrustPolicy({ trustedHosts, onRedirect: options.onRedirect, cloudHosts: this.#cloudHosts() });
    policy.addMailDomain(this.#mailbox.domain);
    return policy;
  }
  #cloudHosts(): readonly string[] {
    const { cloud } = this.#settled;
    return cloud ? exchangeHostsOf(cloud) : [];
  }

  #again(error: AutodiscoverError): AutodiscoverError {
    this.#trace.start('cache')('not-found', { detail: 'this was asked a few minutes ago' });
    const code = error.code.replace('TOKENRY_AUTODISCOVER_', '') as never;
    return new AutodiscoverError(error.message, {
      code,
      trace: [...error.trace, ...this.#trace.steps],
      serverCode: error.serverCode,
    });
  }
}
