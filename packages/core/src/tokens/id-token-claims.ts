import { seconds } from './token-times.js';

/** Claims of a token that came straight from the token endpoint over TLS, whose signature therefore need not be checked. */
export type Claims = Readonly<Record<string, unknown>>;

const NO_CLAIMS: Claims = Object.freeze({});

/** Payload of a JWT; empty for anything else. */
export function claimsOf(token: string): Claims {
  return jsonInBase64(token.split('.')[1] ?? '');
}

/** A JSON object in base64url, as in `client_info`; empty for anything else. */
export function jsonInBase64(text: string): Claims {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Claims) : NO_CLAIMS;
  } catch {
    return NO_CLAIMS;
  }
}

/** A claim that is a text with something in it. */
export function textClaim(claims: Claims, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = claims[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** When an id token was issued, in epoch seconds. */
export function idTokenIssuedAt(token: string): number | undefined {
  return seconds(claimsOf(token).iat);
}
