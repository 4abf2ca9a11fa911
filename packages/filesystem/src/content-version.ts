import { nodeCrypto } from './node-crypto.js';
import { sha256 } from './sha256.js';

/** Above this the library's speed is worth its loading. */
const MAX_BYTES = 65_536;
let isFirst = true;

/**
 * The content's SHA-256: the same for every process, and for a file that was copied or restored. The first one is worked
 * out without node:crypto: a program that reads one token is done before that would be loaded.
 */
export function contentVersion(data: Uint8Array): string {
  const here = isFirst && data.byteLength <= MAX_BYTES;
  isFirst = false;
  return here ? sha256(data).toString('base64url') : nodeCrypto().hash('sha256', data, 'base64url');
}
