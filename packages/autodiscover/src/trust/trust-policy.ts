import { isIP } from 'node:net';
import { getDomain } from 'tldts';
import { BoundedMap } from '../cache/bounded-map.js';
import { isMicrosoftHost, isTenantDomain } from './microsoft-hosts.js';

/** Why a host is trusted. */
export type TrustTier = 'mail-domain' | 'microsoft' | 'configured' | 'confirmed';

/** What sent the discovery to another host. */
export type RedirectKind = 'http' | 'https' | 'srv' | 'soap' | 'pox' | 'v2' | 'address' | 'service';

/** The question put to `onRedirect`: may the discovery, with its credentials, go on there? */
export interface RedirectRequest {
  readonly kind: RedirectKind;
  /** The URL or DNS name that points there. */
  readonly from: string;
  /** The URL pointed to; for `address` the new e-mail address. */
  readonly to: string;
  /** Host of `to`, to be shown or compared. */
  readonly host: string;
}
export type OnRedirect = (request: RedirectRequest) => boolean | Promise<boolean>;

export interface TrustOptions {
  /** Hosts that may be used beside the mail domain and Microsoft: `mail.hoster.example`, `*.hoster.example`, `mail.corp.example:8443`. */
  readonly trustedHosts?: readonly string[] | undefined;
  readonly onRedirect?: OnRedirect | undefined;
  /** Further hosts of Microsoft's, from a cloud that is not in the table. */
  readonly cloudHosts?: readonly string[] | undefined;
}

export type Verdict = { readonly allowed: true; readonly tier: TrustTier } | { readonly allowed: false; readonly why: string };

/** Decides which hosts a discovery may speak to and send credentials to. Everything it does not know is asked, and denied by default. */
export class TrustPolicy {
  readonly #options: TrustOptions;
  readonly #mailHosts = new Set<string>();
  readonly #registrable = new Set<string>();
  readonly #confirmed = new Set<string>();

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** The mailbox lives (or may live) in this domain: its hosts are trusted from now on. */
  addMailDomain(domain: string): void {
    this.#mailHosts.add(domain).add(`autodiscover.${domain}`);
    const registrable = registrableDomain(domain);
    if (registrable !== undefined) this.#registrable.add(registrable);
  }

  /** Why `url` is trusted, if it is; asks nobody. */
  tierOf(url: URL): TrustTier | undefined {
    const { hostname: host, port } = url;
    if (this.#configured(url)) return 'configured';
    if (this.#confirmed.size > 0 && this.#confirmed.has(hostAndPort(url))) return 'confirmed';
    if (port !== '') return undefined;
    if (isMicrosoftHost(host) || this.#options.cloudHosts?.includes(host)) return 'microsoft';
    // The exact names count even where the list knows no registrable domain above them.
    if (this.#mailHosts.has(host)) return 'mail-domain';
    const registrable = registrableDomain(host);
    return registrable !== undefined && this.#registrable.has(registrable) ? 'mail-domain' : undefined;
  }

  /** Whether the discovery may go on at `url`; a host outside the tiers is put to `onRedirect`. */
  async check(url: URL, from: string, kind: RedirectKind): Promise<Verdict> {
    const flaw = flawOf(url);
    if (flaw !== undefined) return { allowed: false, why: flaw };
    const tier = this.tierOf(url);
    if (tier !== undefined) return { allowed: true, tier };
    if (!(await this.#ask({ kind, from, to: url.href, host: url.host })))
      return { allowed: false, why: `"${url.host}" belongs neither to the mail domain nor to Microsoft nor to trustedHosts` };
    this.#confirmed.add(hostAndPort(url));
    return { allowed: true, tier: 'confirmed' };
  }

  /** Whether the discovery may go on with an address in another domain. */
  async checkDomain(domain: string, address: string, from: string): Promise<boolean> {
    const registrable = registrableDomain(domain);
    const related = registrable !== undefined && this.#registrable.has(registrable);
    if (related || isTenantDomain(domain) || this.#configured(new URL(`https://autodiscover.${domain}/`))) return true;
    return this.#ask({ kind: 'address', from, to: address, host: domain });
  }

  async #ask(request: RedirectRequest): Promise<boolean> {
    return (await this.#options.onRedirect?.(Object.freeze(request))) === true;
  }

  #configured(url: URL): boolean {
    const patterns = this.#options.trustedHosts;
    if (patterns === undefined || patterns.length === 0) return false;
    return patterns.some((pattern) => {
      const lower = pattern.toLowerCase();
      if (lower.startsWith('*.')) return url.port === '' && url.hostname.endsWith(lower.slice(1));
      return lower === url.host;
    });
  }
}

/** What no redirect may have, whoever would allow it. */
function flawOf(url: URL): string | undefined {
  if (url.protocol !== 'https:') return 'the target is not https';
  if (url.username !== '' || url.password !== '') return 'the target carries a user name';
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return 'the target is an IP address';
  return undefined;
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || '443'}`;
}

/** `corp.co.uk` of `autodiscover.corp.co.uk`. Private suffixes count: `a.github.io` and `b.github.io` are strangers. */
export function registrableDomain(host: string): string | undefined {
  const known = domains.get(host);
  if (known !== undefined) return known || undefined;
  const domain = getDomain(host, { allowPrivateDomains: true }) ?? '';
  domains.set(host, domain);
  return domain || undefined;
}
/** Empty: there is none. */
const domains = new BoundedMap<string>(1000);
