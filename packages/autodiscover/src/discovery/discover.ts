import { Autodiscovery, defaultCache } from './autodiscovery.js';
import type { DiscoverOptions } from './discover-options.js';
import type { DiscoveryResult } from './discovery-result.js';

/**
 * Finds out where the mailbox of an e-mail address is and how to reach it.
 *
 * Anonymous services are asked first; credentials go only to hosts of the mail domain, to Microsoft, and to what
 * `trustedHosts` and `onRedirect` allow.
 * @throws AutodiscoverError with `code`, `trace` and `explain()`; TypeError and RangeError for options; the reason of `signal`
 *
 * @example
 * ```ts
 * const { location, services } = await discover('ada@corp.example', {
 *   credentials: new UsernamePasswordCredentials('CORP\\ada', 'password'),
 *   allowBasic: true,
 * });
 * if (location === 'on-premises') await services.ews?.fetch(services.ews.externalUrl ?? '', { method: 'POST' });
 * ```
 */
export async function discover(address: string, options: DiscoverOptions = {}): Promise<DiscoveryResult> {
  return new Autodiscovery(address, options).discover();
}

/** Forgets everything in the cache that discoveries use when they are given none. */
export async function clearCache(): Promise<void> {
  await defaultCache().clear();
}
