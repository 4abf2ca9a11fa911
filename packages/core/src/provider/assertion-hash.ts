import { nodeCrypto } from '../node-crypto.js';

/** What a token obtained on behalf of an incoming assertion is filed under: never the assertion itself. */
export function userAssertionHash(assertion: string): string {
  return nodeCrypto().createHash('sha256').update(assertion).digest('base64url');
}
