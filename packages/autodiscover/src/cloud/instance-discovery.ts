import { AutodiscoverError } from '../errors.js';
import { parseJsonObject } from '../v2/v2-response.js';
import { CLOUDS } from './clouds.js';

/** Names under which one sign-in service is known. */
export interface InstanceMetadata {
  readonly preferredNetwork: string;
  readonly preferredCache: string;
  readonly aliases: readonly string[];
}

/** Asks the global cloud whether a sign-in host is one of Microsoft's. */
export function instanceDiscoveryUrl(host: string): URL {
  const url = new URL(`${CLOUDS.global.authority}/common/discovery/instance`);
  url.searchParams.set('api-version', '1.1');
  url.searchParams.set('authorization_endpoint', `https://${host}/common/oauth2/v2.0/authorize`);
  return url;
}

/**
 * What the answer says about `host`.
 * @throws AutodiscoverError `UNKNOWN_AUTHORITY` when Microsoft does not know the host, `MALFORMED_RESPONSE`
 */
export function readInstanceDiscovery(text: string, host: string): InstanceMetadata {
  const body = parseJsonObject(text);
  if (body.error === 'invalid_instance') throw unknownAuthority(host);
  const entries = Array.isArray(body.metadata) ? body.metadata : [];
  const found = entries.map(readEntry).find((entry) => entry?.aliases.includes(host));
  return found ?? selfEntry(host);
}

/** For a host that answers for itself alone. */
export function selfEntry(host: string): InstanceMetadata {
  return { preferredNetwork: host, preferredCache: host, aliases: [host] };
}

function readEntry(entry: unknown): InstanceMetadata | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { preferred_network, preferred_cache, aliases } = entry as Record<string, unknown>;
  if (typeof preferred_network !== 'string' || typeof preferred_cache !== 'string' || !Array.isArray(aliases)) return undefined;
  const names = aliases.filter((alias): alias is string => typeof alias === 'string');
  return { preferredNetwork: preferred_network, preferredCache: preferred_cache, aliases: names };
}

function unknownAuthority(host: string): AutodiscoverError {
  return new AutodiscoverError(`Microsoft does not know the authority "${host}".`, {
    code: 'UNKNOWN_AUTHORITY',
    serverCode: 'invalid_instance',
  });
}
