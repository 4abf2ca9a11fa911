import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningKey } from './authority-state.js';

/** Makes an RS256 key on the thread pool, while the server already listens. */
export async function makeSigningKey(): Promise<SigningKey> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return { kid: 'dev-authority', privateKey: pair.privateKey, publicKey: pair.publicKey };
}
