import { type Clock, systemClock } from '../clock.js';
import type { CryptographyManager } from '../crypto/cryptography-manager.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument, strictOptions } from '../options.js';
import { type RecordCacheOptions, recordCacheOptions } from './record-cache.js';
import type { RecordNames } from './record-key.js';
import type { BackendCapabilities, LeaseProvider, RemoveOptions, WriteOptions } from './token-backend.js';
import { checkKeyPrefix, checkTokenKey } from './token-key.js';

/** Options of every backend. */
export interface BaseTokenBackendOptions {
  /** Encrypts records on their way into the store. @default none: records are plain JSON that other tools can read */
  readonly cryptographyManager?: CryptographyManager;
  /** Leases from elsewhere, such as `new RedisLeases({ client })`. @default the backend's own */
  readonly leases?: LeaseProvider;
  /** The token key used where none is given; it is the record's name, literally. @default the backend's own, such as `o365_token.txt` */
  readonly defaultTokenKey?: string;
  /** Put before every token key, so that several programs can share one store. @default '' */
  readonly keyPrefix?: string;
  /** @default the machine's clocks */
  readonly clock?: Clock;
  /** How decoded records are kept in memory. */
  readonly recordCache?: RecordCacheOptions;
}

/** What a subclass says about itself. */
export interface OwnBackend {
  /** Read whenever it matters: members may be getters where a probe decides. */
  readonly capabilities: BackendCapabilities;
  /** Names of the subclass's own options, so that unknown ones can be refused. */
  readonly options?: readonly string[];
  /** How record names are made for this store. */
  readonly recordNames?: RecordNames;
  /** @default 'o365_token.txt', python-o365's */
  readonly defaultTokenKey?: string;
  /** Names the store, equally in every process that opens it, such as `filesystem:/var/lib/app`. See {@link BaseTokenBackend.id}. */
  readonly id?: string;
  /** Other defaults for `recordCache`, such as 5 minutes between reads where each read is paid for. */
  readonly recordCache?: RecordCacheOptions;
}

/** python-o365's default. */
const DEFAULT_TOKEN_KEY = 'o365_token.txt';
const OPTION_NAMES = ['cryptographyManager', 'leases', 'defaultTokenKey', 'keyPrefix', 'clock', 'recordCache'] as const;

/**
 * Checks the options of a backend and fills in its defaults.
 * @throws TypeError (`TOKENRY_UNKNOWN_OPTION`, `TOKENRY_INVALID_ARGUMENT`) or RangeError (`TOKENRY_OUT_OF_RANGE`).
 */
export function checkBackendOptions(className: string, own: OwnBackend, options: BaseTokenBackendOptions | undefined) {
  const given = strictOptions(className, options, [...OPTION_NAMES, ...(own.options ?? [])]);
  checkMethods(given.cryptographyManager, 'cryptographyManager', ['encrypt', 'decrypt']);
  checkMethods(given.leases, 'leases', ['tryAcquire', 'renew', 'release']);
  checkMethods(given.clock, 'clock', ['now', 'monotonic']);
  const keyPrefix = checkKeyPrefix(given.keyPrefix ?? '');
  // Where nobody else writes, what is in memory is what is stored.
  const cacheDefaults = own.capabilities.shared ? {} : { revalidateAfterMs: Number.POSITIVE_INFINITY };
  return {
    keyPrefix,
    id: storeId(own, keyPrefix),
    defaultTokenKey: checkTokenKey(given.defaultTokenKey ?? own.defaultTokenKey ?? DEFAULT_TOKEN_KEY, 'defaultTokenKey'),
    cryptographyManager: given.cryptographyManager,
    leases: given.leases,
    clock: given.clock ?? systemClock,
    recordCache: recordCacheOptions(given.recordCache, { ...cacheDefaults, ...own.recordCache }),
  };
}

/** @throws TypeError when `options` name no expectation: a forgotten one must not overwrite. */
export function checkExpectation<T extends WriteOptions | RemoveOptions>(options: T): T {
  const expect: unknown = options?.expect;
  const versioned =
    typeof expect === 'object' && expect !== null && typeof (expect as { version?: unknown }).version === 'string';
  if (!versioned && expect !== 'anything' && expect !== 'absent')
    throw invalidArgument("expect is required: 'anything', 'absent' or { version }.");
  return options;
}

function storeId(own: OwnBackend, keyPrefix: string): string {
  const id = own.id ?? (own.capabilities.shared ? 'shared' : `private:${nodeCrypto().randomUUID()}`);
  return keyPrefix === '' ? id : `${id}#${keyPrefix}`;
}

/** @throws TypeError when `value` is given and lacks one of `methods`. */
export function checkMethods(value: object | undefined, name: string, methods: readonly string[]): void {
  if (value === undefined) return;
  const has = (method: string) => typeof (value as Record<string, unknown>)[method] === 'function';
  if (typeof value !== 'object' || value === null || !methods.every(has))
    throw invalidArgument(`${name} must have ${methods.map((method) => `${method}()`).join(', ')}.`);
}

/** The capabilities of a backend whose leases come from elsewhere. */
export function withInjectedLeases(capabilities: BackendCapabilities): BackendCapabilities {
  const { conditionalWrites, list, durable, shared, maxRecordBytes } = capabilities;
  return { conditionalWrites, leases: true, list, durable, shared, ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }) };
}
