import { DecryptError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument, outOfRange, strictOptions } from '../options.js';
import type { CryptographyManager } from './cryptography-manager.js';

export interface JweCryptographyManagerOptions {
  /** 256-bit keys by key id. All of them open records; keep an old one until every record was written again. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
  /** The key that seals. */
  readonly activeKid: string;
  /**
   * Opens unencrypted records too, so that encryption can be switched on over existing ones; the next write of each
   * encrypts it. While it is on, whoever can write to the store can plant a record. @default false
   */
  readonly acceptPlaintext?: boolean;
}

const KEY_BYTES = 32;
const MAX_SHOWN = 80;
const JWE = /^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]*\.[\w-]+$/;
/** Private header parameter: SHA-256 of the token key (RFC 7516 4.3). */
const RECORD = 'rec';

/**
 * Encrypts records as compact JWE (RFC 7516): `dir` with `A256GCM`. The protected header names the key (`kid`) and, as a
 * hash, the token key: a record that was moved to another user does not open.
 *
 * @example
 * ```ts
 * const cryptographyManager = new JweCryptographyManager({ keys: { '2026-01': key }, activeKid: '2026-01' });
 * ```
 */
export class JweCryptographyManager implements CryptographyManager {
  readonly #keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly #importedKeys = new Map<string, CryptoKey>();
  readonly #activeKid: string;
  readonly #acceptPlaintext: boolean;

  /**
   * @throws TypeError when a key is no Uint8Array or `activeKid` names none of them.
   * @throws RangeError when a key does not have 256 bits.
   */
  constructor(options: JweCryptographyManagerOptions) {
    const {
      keys,
      activeKid,
      acceptPlaintext = false,
    } = strictOptions('JweCryptographyManager', options, ['keys', 'activeKid', 'acceptPlaintext']);
    if (typeof keys !== 'object' || keys === null) throw invalidArgument('keys must be an object: { [kid]: Uint8Array }.');
    this.#keys = new Map(Object.entries(keys).map(([kid, key]) => [kid, checkKey(kid, key)]));
    // What was given is not repeated: who mixes the options up has given a key.
    if (!this.#keys.has(activeKid))
      throw invalidArgument(
        `activeKid must name one of the keys: ${[...this.#keys.keys()].map(quoted).join(', ') || 'there are none'}.`,
      );
    // "false" as text, from a setting, would be true.
    if (typeof acceptPlaintext !== 'boolean') throw invalidArgument('acceptPlaintext must be true or false.');
    this.#activeKid = activeKid;
    this.#acceptPlaintext = acceptPlaintext;
  }

  async encrypt(data: Uint8Array, { tokenKey }: { readonly tokenKey: string }): Promise<Uint8Array> {
    const { CompactEncrypt } = await jose();
    const jwe = await new CompactEncrypt(data)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: this.#activeKid, [RECORD]: hashOf(tokenKey) })
      .encrypt(await this.#imported(this.#activeKid));
    return Buffer.from(jwe);
  }

  /** @throws DecryptError: `unknown-key`, `tampered`, `plaintext-refused` or `wrong-record`. */
  async decrypt(data: Uint8Array, { tokenKey }: { readonly tokenKey: string }): Promise<Uint8Array> {
    const text = Buffer.from(data).toString('latin1');
    if (!JWE.test(text)) return this.#plaintext(data, text);
    const { plaintext, protectedHeader } = await this.#open(text);
    // Compared after the tag was: before that the header is only a claim.
    if (protectedHeader[RECORD] !== hashOf(tokenKey))
      throw new DecryptError('The record was encrypted under another token key: it was moved or renamed.', {
        reason: 'wrong-record',
      });
    return plaintext;
  }

  async #open(text: string) {
    const { compactDecrypt, decodeProtectedHeader } = await jose();
    try {
      const key = await this.#imported(kidOf(decodeProtectedHeader(text)));
      return await compactDecrypt(text, key, { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] });
    } catch (cause) {
      if (DecryptError.is(cause)) throw cause;
      throw new DecryptError('The encrypted record does not open: it was changed, or the key under this id is another one.', {
        reason: 'tampered',
        cause,
      });
    }
  }

  #plaintext(data: Uint8Array, text: string): Uint8Array {
    if (!/^(?:\xef\xbb\xbf)?\s*\{/.test(text))
      throw new DecryptError('The record is neither an encrypted record nor a token cache.', { reason: 'tampered' });
    if (this.#acceptPlaintext) return data;
    throw new DecryptError(
      'The record is not encrypted; set acceptPlaintext to read it and have it encrypted at its next write.',
      {
        reason: 'plaintext-refused',
      },
    );
  }

  /** Once per key: given bytes, jose would import them for every record. */
  async #imported(kid: string | undefined): Promise<CryptoKey> {
    const key = kid === undefined ? undefined : this.#keys.get(kid);
    if (kid === undefined || !key)
      throw new DecryptError(`The record was encrypted under the key ${quoted(kid ?? '')}, which is not configured.`, {
        reason: 'unknown-key',
      });
    const known = this.#importedKeys.get(kid);
    if (known) return known;
    const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
    this.#importedKeys.set(kid, imported);
    return imported;
  }
}

/** Loaded when the first record is sealed or opened: programs without encryption never pay for it. */
function jose() {
  return import('jose');
}

function kidOf(header: object): string | undefined {
  return 'kid' in header && typeof header.kid === 'string' ? header.kid : undefined;
}

/** Whoever can write to the store chooses the key id of a record. */
function quoted(kid: string): string {
  return JSON.stringify(kid.length > MAX_SHOWN ? `${kid.slice(0, MAX_SHOWN)}…` : kid);
}

function hashOf(tokenKey: string): string {
  return nodeCrypto().createHash('sha256').update(tokenKey).digest('base64url');
}

function checkKey(kid: string, key: unknown): Uint8Array<ArrayBuffer> {
  if (!(key instanceof Uint8Array)) throw invalidArgument(`The key "${kid}" must be a Uint8Array of ${KEY_BYTES} bytes.`);
  if (key.byteLength !== KEY_BYTES) throw outOfRange(`The key "${kid}" has ${key.byteLength} bytes; A256GCM takes ${KEY_BYTES}.`);
  return Uint8Array.from(key);
}
