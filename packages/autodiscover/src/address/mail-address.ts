import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { getPublicSuffix } from 'tldts';
import { BoundedMap } from '../cache/bounded-map.js';
import { AutodiscoverError } from '../errors.js';

/** An e-mail address whose domain may be discovered. */
export interface MailAddress {
  /** As given, without blanks around it, the domain in its DNS form. */
  readonly address: string;
  readonly localPart: string;
  /** Lower case, ACE form (`xn--…`), no trailing dot. */
  readonly domain: string;
  /** For comparing: everything in lower case. */
  readonly key: string;
}

const MAX_LENGTH = 512;
const UNQUOTED = /^[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}]+$/u;
const QUOTED = /^"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/;
const HOSTNAME = /^(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * Reads an e-mail address strictly: nothing in it can end a header, a URL or an element.
 * @throws AutodiscoverError `INVALID_ADDRESS`: malformed; or a domain that is a single label, an IP literal or a public
 *   suffix such as `co.uk`, where `autodiscover.` + domain belongs to a stranger.
 */
export function parseMailAddress(text: string): MailAddress {
  if (typeof text !== 'string') throw invalid('The address must be a string.');
  const known = parsed.get(text);
  if (known) return known;
  const address = Object.freeze(parse(text));
  parsed.set(text, address);
  return address;
}

/** The same mailboxes are asked about again and again, and the public-suffix list is long. */
const parsed = new BoundedMap<MailAddress>(1000);

function parse(text: string): MailAddress {
  // Longer than any address can be, and converting names takes time.
  if (text.length > MAX_LENGTH) throw invalid('This is not an e-mail address.');
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  const localPart = trimmed.slice(0, Math.max(at, 0));
  if (at < 1 || Buffer.byteLength(localPart) > 64 || !(UNQUOTED.test(localPart) || QUOTED.test(localPart)))
    throw invalid('This is not an e-mail address.');
  const domain = parseMailDomain(trimmed.slice(at + 1));
  return { address: `${localPart}@${domain}`, localPart, domain, key: `${localPart.toLowerCase()}@${domain}` };
}

/** A mail domain in its DNS form. @throws AutodiscoverError `INVALID_ADDRESS` as `parseMailAddress` */
export function parseMailDomain(text: string): string {
  // What means something in a URL would be cut off or decoded by the conversion.
  const domain =
    text.length > MAX_LENGTH || /[\s/:?#@%\\[\]]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, '')).toLowerCase();
  if (domain === '' || isIP(domain) !== 0 || !HOSTNAME.test(domain) || /^\d+$/.test(domain.slice(domain.lastIndexOf('.') + 1)))
    throw invalid('The domain is not a DNS name with at least two labels.');
  // Private suffixes (uk.com, github.io) too: there a stranger can own autodiscover.<suffix>.
  if (getPublicSuffix(domain, { allowPrivateDomains: true }) === domain)
    throw invalid(`The domain "${domain}" is a public suffix: a stranger may own autodiscover.${domain}.`);
  return domain;
}

function invalid(message: string): AutodiscoverError {
  return new AutodiscoverError(message, { code: 'INVALID_ADDRESS' });
}
