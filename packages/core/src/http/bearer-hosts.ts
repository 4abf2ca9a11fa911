import { invalidArgument } from '../options.js';
import { isLoopback } from './loopback.js';

/**
 * Answers whether a URL may receive the bearer token: https (or http on loopback), and the host of the service or one of
 * `allowedHosts`. An entry is a host (`contoso.sharepoint.com`), a host with a port that is not the default one, or
 * `*.sharepoint.com` for every host below it.
 * @throws TypeError for an entry that is none of these.
 */
export function bearerHosts(serviceUrl: string, allowedHosts: readonly string[] = []): (url: URL) => boolean {
  const service = new URL(serviceUrl);
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of allowedHosts) {
    const host = normalised(entry.startsWith('*.') ? entry.slice(2) : entry);
    if (host === undefined)
      throw invalidArgument(`allowedHosts: "${entry}" is not a host such as "contoso.sharepoint.com" or "*.sharepoint.com".`);
    if (entry.startsWith('*.')) suffixes.push(`.${host}`);
    else exact.add(host);
  }
  return (url) => {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) return false;
    return url.origin === service.origin || exact.has(url.host) || suffixes.some((suffix) => url.host.endsWith(suffix));
  };
}

function normalised(host: string): string | undefined {
  if (typeof host !== 'string' || host === '' || /[/@?#*\s]/.test(host) || !URL.canParse(`https://${host}`)) return undefined;
  return new URL(`https://${host}`).host;
}
