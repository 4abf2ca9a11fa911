import { AutodiscoverError } from '../errors.js';

/** An answer of Autodiscover V2. The error codes are an open list. */
export type V2Response =
  | { readonly kind: 'found'; readonly protocol: string; readonly url: string; readonly serverLocation?: string }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

/** Address of the anonymous JSON service on a host. */
export function v2Url(host: string, address: string, protocol: string): URL {
  const url = new URL(`https://${host}/autodiscover/autodiscover.json/v1.0/${encodeURIComponent(address)}`);
  url.searchParams.set('Protocol', protocol);
  url.searchParams.set('ServerLocation', 'true');
  return url;
}

/** Reads a V2 body. @throws AutodiscoverError `MALFORMED_RESPONSE` when it is not one */
export function readV2Response(text: string): V2Response {
  const body = parseJsonObject(text);
  const text_ = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : undefined);
  const url = text_('Url');
  if (url !== undefined) {
    const serverLocation = text_('ServerLocation');
    return { kind: 'found', protocol: text_('Protocol') ?? '', url, ...(serverLocation === undefined ? {} : { serverLocation }) };
  }
  const code = text_('ErrorCode');
  if (code !== undefined) return { kind: 'error', code, message: text_('ErrorMessage') ?? '' };
  throw malformed('it names neither a Url nor an ErrorCode');
}

/** One JSON object. @throws AutodiscoverError `MALFORMED_RESPONSE` */
export function parseJsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    // The engine's message quotes the body; ours does not.
    throw malformed('it does not parse');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('it is not an object');
  return value as Record<string, unknown>;
}

function malformed(why: string): AutodiscoverError {
  return new AutodiscoverError(`The answer is not the JSON that was asked for: ${why}.`, { code: 'MALFORMED_RESPONSE' });
}
