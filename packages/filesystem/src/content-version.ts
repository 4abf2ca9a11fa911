import { nodeCrypto } from './node-crypto.js';

/** The content's SHA-256: the same for every process, and for a file that was copied or restored. */
export function contentVersion(data: Uint8Array): string {
  return nodeCrypto().hash('sha256', data, 'base64url');
}
