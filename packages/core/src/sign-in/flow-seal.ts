import { FlowExpiredError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument } from '../options.js';

const KEY_BYTES = 32;
/** Larger than any flow of ours; what is larger is not looked at. */
const MAX_SEALED = 64 * 1_024;

/**
 * Closes and opens the part of a sign-in flow that only we read: PKCE verifier, nonce and where to continue. With keys it
 * is encrypted and authenticated (JWE, A256GCM), fit for a cookie. Without, a digest only shows accidental change, and the
 * flow belongs on the server: whoever can read it holds the verifier.
 */
export class FlowSeal {
  readonly #keys: readonly Uint8Array[];

  /** @throws TypeError unless each key has 32 bytes. */
  constructor(keys: readonly Uint8Array[] = []) {
    if (!Array.isArray(keys) || keys.some((key) => !(key instanceof Uint8Array) || key.length !== KEY_BYTES))
      throw invalidArgument(`flowKeys must be a list of keys of ${KEY_BYTES} random bytes.`);
    this.#keys = keys;
  }

  /** Seals `content`, bound to the flow's `id`. */
  async close(id: string, content: object): Promise<string> {
    const plaintext = new TextEncoder().encode(JSON.stringify({ ...content, id }));
    const [active] = this.#keys;
    if (!active) return `${Buffer.from(plaintext).toString('base64url')}.${digest(id, plaintext)}`;
    const { CompactEncrypt } = await import('jose');
    return new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keyId(active) }).encrypt(active);
  }

  /**
   * What was sealed under this `id`.
   * @throws FlowExpiredError when it does not open: changed, of another flow, or sealed with a key that is gone.
   */
  async open(id: string, sealed: unknown): Promise<Readonly<Record<string, unknown>>> {
    if (typeof sealed !== 'string' || sealed.length > MAX_SEALED) throw notOurs();
    const plaintext = this.#keys.length === 0 ? openDigest(id, sealed) : await this.#decrypt(sealed);
    const content = parseObject(plaintext);
    if (content?.id !== id) throw notOurs();
    return content;
  }

  async #decrypt(sealed: string): Promise<Uint8Array> {
    try {
      const { compactDecrypt, decodeProtectedHeader } = await import('jose');
      const { kid } = decodeProtectedHeader(sealed);
      const key = this.#keys.find((candidate) => keyId(candidate) === kid);
      if (!key) throw notOurs();
      const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };
      return (await compactDecrypt(sealed, key, options)).plaintext;
    } catch {
      throw notOurs();
    }
  }
}

function openDigest(id: string, sealed: string): Uint8Array {
  const [content = '', given = '', ...rest] = sealed.split('.');
  const plaintext = Buffer.from(content, 'base64url');
  const expected = Buffer.from(digest(id, plaintext));
  const actual = Buffer.from(given);
  if (rest.length > 0 || actual.length !== expected.length || !nodeCrypto().timingSafeEqual(actual, expected)) throw notOurs();
  return plaintext;
}

function digest(id: string, plaintext: Uint8Array): string {
  return nodeCrypto().createHash('sha256').update(`${id}\0`).update(plaintext).digest('base64url');
}

// Names a key without telling anything about it; the prefix keeps it apart from other digests of the same key.
function keyId(key: Uint8Array): string {
  return nodeCrypto().createHash('sha256').update('tokenry-flow-key\0').update(key).digest('base64url').slice(0, 16);
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function notOurs(): FlowExpiredError {
  return new FlowExpiredError(
    'The sign-in flow was changed, or was sealed with a key that is no longer known. Start the sign-in again.',
  );
}
