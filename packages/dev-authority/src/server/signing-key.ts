import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from '../options.js';

/** The key that signs tokens. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * Makes keys on the thread pool, while the server already listens. An RSA key costs up to a tenth of a second, so that
 * authorities that follow each other in one thread share it; the issuer tells their tokens apart.
 */
export class SigningKeys {
  readonly #keys = new Map<SigningAlgorithm, Promise<SigningKey>>();

  key(alg: SigningAlgorithm): Promise<SigningKey> {
    const key = this.#keys.get(alg) ?? makeKey(alg);
    this.#keys.set(alg, key);
    return key;
  }
}

async function makeKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const generate = promisify(generateKeyPair);
  const pair = alg === 'RS256' ? generate('rsa', { modulusLength: 2048 }) : generate('ec', { namedCurve: 'P-256' });
  return { kid: `dev-authority-${alg}`, alg, ...(await pair) };
}
