import { decodeName, encodeName, isReservedRecordName } from '@tokenry/core/backend';

/** Marks the rare records whose token key cannot stand for itself: it holds a `=`, or is only known by its hash. */
const NAMED = '=n-';

/**
 * Maps record names to Redis keys and back. A Redis key may hold any bytes, and case counts, so a token key stands in it
 * as it is: `keyPrefix` + token key, the place where a plugin of another library looks for it. Everything else (leases,
 * copies of corrupt records) begins with `=` behind the prefix, which no plain token key does.
 */
export class RedisKeys {
  readonly #prefix: string;
  readonly #defaultTokenKey: string;
  readonly #defaultName: string;

  constructor(options: { readonly keyPrefix: string; readonly defaultTokenKey: string }) {
    this.#prefix = options.keyPrefix;
    this.#defaultTokenKey = options.defaultTokenKey;
    this.#defaultName = encodedPrefix(options.keyPrefix) + options.defaultTokenKey;
  }

  keyOf(name: string): string {
    if (name === this.#defaultName) return this.#prefix + this.#defaultTokenKey;
    // Without an escaped byte the name is the text itself.
    if (!name.includes('=') && name.startsWith(this.#prefix) && name !== this.#prefix) return name;
    if (isReservedRecordName(name)) return this.#prefix + name;
    const plain = decodeName(name);
    const tokenKey = plain?.startsWith(this.#prefix) ? plain.slice(this.#prefix.length) : '';
    return this.#prefix + (tokenKey === '' || tokenKey.includes('=') ? NAMED + name : tokenKey);
  }

  /** The record name that a listed key stands for; `undefined` for leases and for what is no record. */
  nameOf(key: string): string | undefined {
    if (!key.startsWith(this.#prefix)) return undefined;
    const rest = key.slice(this.#prefix.length);
    if (rest === this.#defaultTokenKey) return this.#defaultName;
    if (rest.startsWith(NAMED)) return rest.slice(NAMED.length);
    return rest === '' || rest.includes('=') ? undefined : encodeName(this.#prefix + rest);
  }

  /** The key of a lease: under the prefix, so that one ACL pattern covers records and leases. */
  static ofLease(keyPrefix: string, name: string): string {
    return `${keyPrefix}=lease-${name}`;
  }
}

/** The channel on which the users of a prefix tell each other of changes. */
export function channelOf(keyPrefix: string): string {
  return `${keyPrefix}=changed`;
}

/** A pattern that every key with this prefix matches, for SCAN. */
export function patternOf(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
}

// As the base class composes the default record's name: without a prefix, the token key literally.
function encodedPrefix(keyPrefix: string): string {
  return keyPrefix === '' ? '' : encodeName(keyPrefix);
}
