/**
 * Removes what must not be read from free text that others wrote (server answers, causes): JWTs and JWEs, bearer values,
 * the values of OAuth parameters in form, query and JSON notation, and opaque strings as long as no word, id or SHA-256 is,
 * which a refresh token or a code is.
 */
const SECRET_NAMES =
  'access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password|code_verifier|device_code|code|secret|sealed|nonce';

/** Of longer words than this regular expressions run out of stack. */
const MAX_TEXT = 1_000_000;

/** A value in quotation marks, which may hold escaped ones; its end may have been cut off. */
const quoted = (mark: string) => `${mark}[^${mark}\\\\]*(?:\\\\[^][^${mark}\\\\]*)*\\\\?(?:${mark}|$)`;
/** The same inside text that is quoted itself: it ends at as many backslashes as it began with. */
const quotedInQuotes = `(\\\\+)(["'])[^]*?(?:(?<!\\\\)\\2\\3|$)`;
const VALUE = `${quoted('"')}|${quoted("'")}|${quotedInQuotes}|[^\\s&,;"'}\\]]+`;

const PATTERNS: readonly [RegExp, string][] = [
  [/\beyJ[\w-]{5,}(?:\.[\w-]*){1,4}/g, '[redacted]'],
  [/\b[\w.~-]{80,}/g, '[redacted]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, '$1 [redacted]'],
  [new RegExp(`(\\b(?:${SECRET_NAMES})(?:\\\\*["'])?\\s*[:=]\\s*)(?:${VALUE})`, 'gi'), '$1[redacted]'],
];

/** Returns `text` with everything that looks like a credential replaced by `[redacted]`, and without what nobody would read. */
export function redact(text: string): string {
  return PATTERNS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text.slice(0, MAX_TEXT));
}
