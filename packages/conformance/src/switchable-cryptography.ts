import { type CryptographyManager, JweCryptographyManager } from '@tokenry/core/backend';

type Context = { readonly tokenKey: string };

/** Hands records on as they are: through it the records face shows and takes what the store really holds. */
export const plaintext: CryptographyManager = { encrypt: (data) => data, decrypt: (data) => data };

/**
 * A cryptography manager that can be exchanged while its backend is open. So the kit looks beneath the encryption of any
 * backend, also of one whose instances share nothing.
 */
export class SwitchableCryptography implements CryptographyManager {
  current: CryptographyManager;

  constructor(current: CryptographyManager) {
    this.current = current;
  }

  async encrypt(data: Uint8Array, context: Context): Promise<Uint8Array> {
    return this.current.encrypt(data, context);
  }

  async decrypt(data: Uint8Array, context: Context): Promise<Uint8Array> {
    return this.current.decrypt(data, context);
  }

  /** Does `work` with another manager, then returns to the present one. */
  async with<T>(manager: CryptographyManager, work: () => Promise<T>): Promise<T> {
    const before = this.current;
    this.current = manager;
    return work().finally(() => {
      this.current = before;
    });
  }
}

/** Seals with the first of the keys named, opens with all of them. The same name is the same key everywhere. */
export function keyRing(...kids: readonly [active: string, ...others: string[]]): JweCryptographyManager {
  return new JweCryptographyManager({ keys: keysFor(kids), activeKid: kids[0] });
}

/** As `keyRing`, and unencrypted records are read too. */
export function lenientKeyRing(kid: string): JweCryptographyManager {
  return new JweCryptographyManager({ keys: keysFor([kid]), activeKid: kid, acceptPlaintext: true });
}

/** A key ring whose key goes by the name `kid` but is another one. */
export function forgedKeyRing(kid: string): JweCryptographyManager {
  return new JweCryptographyManager({ keys: { [kid]: keyNamed(`not ${kid}`) }, activeKid: kid });
}

const keysFor = (kids: readonly string[]) => Object.fromEntries(kids.map((kid) => [kid, keyNamed(kid)]));
const keyNamed = (name: string): Uint8Array => new TextEncoder().encode(name.padEnd(32, '.'));
