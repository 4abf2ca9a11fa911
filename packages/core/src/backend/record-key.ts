import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument, outOfRange } from '../options.js';

/** How a backend wants its record names. */
export interface RecordNames {
  /** Longest record name in bytes; longer ones take a hashed form. @default 200 */
  readonly maxBytes?: number;
  /** Appended to the names of all but the default record, so that a listing can tell records from strangers. @default '' */
  readonly suffix?: string;
}

export interface RecordKeysOptions extends RecordNames {
  readonly defaultTokenKey: string;
  readonly keyPrefix: string;
}

/** What a record name stands for; `hash` when the key itself is in the side record `=key-<hash>`. */
export type NamedKey = { readonly tokenKey: string } | { readonly hash: string };

const DEFAULT_MAX_BYTES = 200;
/** Room for 40 bytes of the name, `=hash-`, 64 hexadecimal digits and a suffix. */
const MIN_MAX_BYTES = 128;
const HASHED = /=hash-([0-9a-f]{64})$/;
const RESERVED = /^=(?![0-9a-f]{2})/;
/** Stands for itself, as most token keys do; every read asks. */
const PLAIN = /^[a-z0-9_-](?:[a-z0-9_.-]*[a-z0-9_-])?$/;
/** Windows opens a device for these, whatever follows the first dot (learn.microsoft.com, "Naming Files, Paths, and Namespaces"). */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/;

/** True for names of side records (`=lease-…`, `=key-…`, `=corrupt-…`, a backend's own `=lock-…`): no token key has such a name. */
export function isReservedRecordName(name: string): boolean {
  return RESERVED.test(name);
}

/** True for names that do not tell their token key. */
export function isHashedRecordName(name: string): boolean {
  return name.includes('=hash-');
}

/**
 * Maps token keys to the record names that a store sees, and back. Names use `a-z 0-9 _ . - =` only: safe in paths and
 * URLs, and different keys stay different where case does not count.
 */
export class RecordKeys {
  readonly #options: Required<RecordKeysOptions>;
  readonly #defaultName: string;
  readonly #defaultLowerCase: string;

  constructor(options: RecordKeysOptions) {
    const { maxBytes = DEFAULT_MAX_BYTES, suffix = '' } = options;
    if (!Number.isInteger(maxBytes) || maxBytes < MIN_MAX_BYTES)
      throw outOfRange(`recordNames.maxBytes must be an integer of at least ${MIN_MAX_BYTES}.`);
    if (!/^[a-z0-9_.-]{0,16}$/.test(suffix) || suffix.endsWith('.'))
      throw invalidArgument('recordNames.suffix may hold up to 16 of "a-z 0-9 _ . -" and no dot at its end.');
    this.#options = { ...options, maxBytes, suffix };
    this.#defaultName =
      options.keyPrefix === '' ? options.defaultTokenKey : encodeName(options.keyPrefix) + options.defaultTokenKey;
    this.#defaultLowerCase = this.#defaultName.toLowerCase();
    if (isReservedRecordName(this.#defaultName) || HASHED.test(this.#defaultName))
      throw invalidArgument(
        `The default token key "${options.defaultTokenKey}" is reserved: choose one that does not begin with "=".`,
      );
  }

  /** The record name of a token key. The default key is taken literally. */
  nameOf(tokenKey: string): string {
    const { defaultTokenKey, keyPrefix, maxBytes, suffix } = this.#options;
    if (tokenKey === defaultTokenKey) return this.#defaultName;
    const encoded = encodeName(keyPrefix + tokenKey);
    const name = encoded + suffix;
    if (name.length <= maxBytes && name !== this.#defaultLowerCase) return name;
    return `${encoded.slice(0, 40)}=hash-${this.hashOf(tokenKey)}${suffix}`;
  }

  /** The hash under which the key of a long name is kept, if its name is the hashed form. */
  hashInNameOf(tokenKey: string): string | undefined {
    const name = this.nameOf(tokenKey);
    return name === this.#defaultName ? undefined : HASHED.exec(this.#withoutSuffix(name) ?? '')?.[1];
  }

  hashOf(tokenKey: string): string {
    return nodeCrypto()
      .createHash('sha256')
      .update(this.#options.keyPrefix + tokenKey)
      .digest('hex');
  }

  /** What a listed name stands for; `undefined` for side records, strangers and other prefixes. */
  keyOf(name: string): NamedKey | undefined {
    if (name === this.#defaultName) return { tokenKey: this.#options.defaultTokenKey };
    if (isReservedRecordName(name)) return undefined;
    const encoded = this.#withoutSuffix(name);
    if (encoded === undefined) return undefined;
    const hash = HASHED.exec(encoded)?.[1];
    if (hash !== undefined) return { hash };
    const full = decodeName(encoded);
    if (!full?.startsWith(this.#options.keyPrefix)) return undefined;
    const tokenKey = full.slice(this.#options.keyPrefix.length);
    return tokenKey === '' || this.nameOf(tokenKey) !== name ? undefined : { tokenKey };
  }

  /** The token key that a side record says a hashed name stands for, if it tells the truth. */
  keyFromSideRecord(name: string, stored: string): string | undefined {
    const { keyPrefix } = this.#options;
    if (!stored.startsWith(keyPrefix)) return undefined;
    const tokenKey = stored.slice(keyPrefix.length);
    return tokenKey !== '' && this.nameOf(tokenKey) === name ? tokenKey : undefined;
  }

  #withoutSuffix(name: string): string | undefined {
    const { suffix } = this.#options;
    return name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : undefined;
  }
}

/** Encodes any text as a name of `a-z 0-9 _ . - =`, reversibly; every other UTF-8 byte becomes `=xx`. */
export function encodeName(text: string): string {
  if (PLAIN.test(text) && !DEVICE.test(text)) return text;
  let name = '';
  for (const byte of Buffer.from(text)) name += isLiteral(byte) ? String.fromCharCode(byte) : escapeByte(byte);
  if (name.endsWith('.')) name = `${name.slice(0, -1)}=2e`;
  if (name.startsWith('.') || DEVICE.test(name)) name = escapeByte(name.charCodeAt(0)) + name.slice(1);
  return name;
}

/** The text that {@link encodeName} encodes to exactly this name, or `undefined`. */
export function decodeName(name: string): string | undefined {
  if (!/^(?:[a-z0-9_.-]|=[0-9a-f]{2})*$/.test(name)) return undefined;
  const bytes = name
    .match(/=..|./g)
    ?.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)));
  const text = Buffer.from(bytes ?? []).toString();
  return encodeName(text) === name ? text : undefined;
}

function isLiteral(byte: number): boolean {
  const lower = byte >= 0x61 && byte <= 0x7a;
  const digit = byte >= 0x30 && byte <= 0x39;
  return lower || digit || byte === 0x5f || byte === 0x2e || byte === 0x2d;
}

function escapeByte(byte: number): string {
  return `=${byte.toString(16).padStart(2, '0')}`;
}
