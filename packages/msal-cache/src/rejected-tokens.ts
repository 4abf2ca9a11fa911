import { kvStoreOf, type MsalTokenCache } from './msal-types.js';

/** Longer than any token call: an operation that began before is over. */
const OPERATION_MS = 300_000;
const MAX_TOKENS = 10_000;

interface Shown {
  readonly secret: string;
  readonly reject: (secret: string) => Promise<void>;
  /** Monotonic; when the secret under this key was another one for the last time. */
  readonly otherUntil: number;
}

/**
 * Notices when msal-node drops a refresh token that the server refused (`bad_token`). It does so in memory alone, without
 * calling the plugin, and so sends the token again at the next call (msal-js issue 8849).
 */
export class RejectedTokens {
  readonly #shown = new Map<string, Shown>();
  #inAccess = false;

  constructor(tokenCache: MsalTokenCache) {
    const { storage } = tokenCache as { storage?: { removeRefreshToken?: (key: string, ...rest: unknown[]) => unknown } };
    const original = storage?.removeRefreshToken;
    if (!storage || typeof original !== 'function') return;
    storage.removeRefreshToken = (key, ...rest) => {
      if (!this.#inAccess) this.#note(key);
      return original.call(storage, key, ...rest);
    };
  }

  /** The memory was filled; `reject` takes a refresh token out of the record that it was filled from. */
  beginAccess(tokenCache: MsalTokenCache, reject: (secret: string) => Promise<void>): void {
    this.#inAccess = true;
    for (const [key, entity] of Object.entries(kvStoreOf(tokenCache) ?? {})) {
      const { credentialType, secret } = (entity ?? {}) as { credentialType?: unknown; secret?: unknown };
      if (credentialType === 'RefreshToken' && typeof secret === 'string') this.#show(normalKey(key), secret, reject);
    }
  }

  /** What is removed from here on is not removed by an access. */
  endAccess(): void {
    this.#inAccess = false;
  }

  #show(key: string, secret: string, reject: (secret: string) => Promise<void>): void {
    const known = this.#shown.get(key);
    const otherUntil =
      known === undefined ? Number.NEGATIVE_INFINITY : known.secret === secret ? known.otherUntil : performance.now();
    this.#shown.delete(key);
    this.#shown.set(key, { secret, reject, otherUntil });
    const [oldest] = this.#shown.keys();
    if (this.#shown.size > MAX_TOKENS && oldest !== undefined) this.#shown.delete(oldest);
  }

  // msal-node names the key, not the token that it sent. Where that may have been an earlier one the stored one stays.
  #note(key: string): void {
    const shown = this.#shown.get(normalKey(key));
    if (!shown || performance.now() - shown.otherUntil < OPERATION_MS) return;
    this.#shown.delete(normalKey(key));
    // Nobody waits for this; where it fails the token is sent once more, and refused once more.
    shown.reject(shown.secret).catch(() => {});
  }
}

// Version 3 ends its keys with one more hyphen.
function normalKey(key: string): string {
  return key.toLowerCase().replace(/-+$/, '');
}
