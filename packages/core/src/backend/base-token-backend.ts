import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../clock.js';
import type { CryptographyManager } from '../crypto/cryptography-manager.js';
import { CapabilityError } from '../errors.js';
import { invalidArgument, strictOptions } from '../options.js';
import { mergeTokenCaches } from '../tokens/merge.js';
import { TokenCache } from '../tokens/token-cache.js';
import { ConditionalWriteLeases } from './conditional-write-leases.js';
import { InProcessLeases } from './in-process-leases.js';
import { KeyedRecords } from './keyed-records.js';
import { acquireLease } from './lease.js';
import { RawRecords } from './raw-records.js';
import { CachedRecords } from './record-access.js';
import { type RecordCacheOptions, recordCacheOptions } from './record-cache.js';
import { RecordKeys, type RecordNames } from './record-key.js';
import { StoredTokens } from './stored-tokens.js';
import type {
  BackendCapabilities,
  LeaseProvider,
  ReadOptions,
  RecordStore,
  RefreshRequest,
  RemoveOptions,
  StoredRecord,
  TokenBackend,
  TokenKeyOptions,
  UpdateTokenOptions,
  WriteOptions,
} from './token-backend.js';
import { checkKeyPrefix, checkTokenKey } from './token-key.js';

const BRAND = Symbol.for('tokenry.tokenBackend');
/** Where {@link recordAccessOf} finds a backend's own record cache. */
export const RECORD_ACCESS = Symbol.for('tokenry.recordAccess');

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

const OPTION_NAMES = ['cryptographyManager', 'leases', 'defaultTokenKey', 'keyPrefix', 'clock', 'recordCache'] as const;

/** How long a write waits for another process where the store compares nothing itself. */
const WRITE_LEASE = { ttlMs: 30_000, renewEveryMs: 10_000, waitMs: 30_000 };

/**
 * Turns three methods on named records into a whole backend: token keys, a record cache, compare-and-swap with merging,
 * encryption, leases, pending saves.
 *
 * A subclass implements `readRecord`, `writeRecord` and `removeRecord`, and may implement `listRecords`,
 * `leaseProvider` and `closeResources`. Hooks get a record *name* that is safe in paths and URLs, not the raw token key;
 * they are called with checked arguments, one write at a time per name, and pass on whatever they meet as an error: the
 * store's outage must never look like an absent record.
 */
export abstract class BaseTokenBackend implements TokenBackend {
  /** True for a backend of this class, also one of another installed copy of this package. */
  static is(value: unknown): value is TokenBackend {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
  }

  /**
   * Names the store. Two instances on one store must have the same id, so that their leases meet: a subclass whose
   * instances can open different stores gives one. Without it all shared backends have one id (leases of different stores
   * then only wait for each other where everything else is equal), and a private store gets a random one.
   */
  readonly id: string;
  readonly defaultTokenKey: string;
  /** Records as bytes, decrypted. Side records (leases, set-aside copies) are not shown. */
  readonly records: RecordStore;

  readonly #own: OwnBackend;
  readonly #injectedLeases: LeaseProvider | undefined;
  readonly #clock: Clock;
  readonly #raw: RawRecords;
  readonly #cached: CachedRecords;
  readonly #keyed: KeyedRecords;
  #leases: LeaseProvider | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @throws TypeError (`TOKENRY_UNKNOWN_OPTION`, `TOKENRY_INVALID_ARGUMENT`) or RangeError (`TOKENRY_OUT_OF_RANGE`).
   */
  constructor(own: OwnBackend, options?: BaseTokenBackendOptions) {
    const given = strictOptions(new.target.name, options, [...OPTION_NAMES, ...(own.options ?? [])]);
    checkMethods(given.cryptographyManager, 'cryptographyManager', ['encrypt', 'decrypt']);
    checkMethods(given.leases, 'leases', ['tryAcquire', 'renew', 'release']);
    checkMethods(given.clock, 'clock', ['now', 'monotonic']);
    const keyPrefix = checkKeyPrefix(given.keyPrefix ?? '');
    this.defaultTokenKey = checkTokenKey(given.defaultTokenKey ?? own.defaultTokenKey ?? 'o365_token.txt', 'defaultTokenKey');
    this.id = storeId(own, keyPrefix);
    this.#own = own;
    this.#injectedLeases = given.leases;
    this.#clock = given.clock ?? systemClock;
    this.#raw = this.#rawRecords();
    this.#keyed = new KeyedRecords({
      raw: this.#raw,
      keys: new RecordKeys({ ...own.recordNames, defaultTokenKey: this.defaultTokenKey, keyPrefix }),
      keyPrefix,
      cryptographyManager: given.cryptographyManager,
      listNames: (listing) => this.listRecords?.(listing),
      now: () => this.#clock.now(),
    });
    const cacheDefaults = {
      ...(own.capabilities.shared ? {} : { revalidateAfterMs: Number.POSITIVE_INFINITY }),
      ...own.recordCache,
    };
    this.#cached = new CachedRecords({
      source: new StoredTokens({ records: this.#keyed, clock: this.#clock }),
      clock: this.#clock,
      cache: recordCacheOptions(given.recordCache, cacheDefaults),
    });
    this.records = this.#recordFace();
    Object.defineProperty(this, BRAND, { value: true });
    Object.defineProperty(this, RECORD_ACCESS, { value: this.#cached });
  }

  // ── what a subclass implements ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads one record. `undefined` means absent, and only that; everything else is thrown.
   * With `ifNotVersion` a store that can tell cheaply may answer `'not-modified'`; others simply return the record.
   */
  protected abstract readRecord(name: string, options: ReadOptions): Promise<StoredRecord | 'not-modified' | undefined>;

  /**
   * Writes one record whole, or not at all, if `options.expect` is met, and resolves to its new version; to nothing if
   * `readRecord` returns no versions either. With `capabilities.conditionalWrites: false`, `expect` may be ignored.
   * @throws VersionConflictError when the expectation is unmet.
   * @throws BackendUnavailableError when it is unknown whether the record was written: it is read again to find out.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook may return nothing
  protected abstract writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<string | void>;

  /** Removes one record if `options.expect` is met, and resolves to whether there was one. Absent is no conflict. */
  protected abstract removeRecord(name: string, options: RemoveOptions): Promise<boolean>;

  /** Yields the names of all records, in any order; side records and strangers are sorted out by the base class. */
  protected listRecords?(options: { readonly signal?: AbortSignal }): AsyncIterable<string>;

  /** The store's own leases; asked once. Without it: leases on conditional writes, else in this process only. */
  protected leaseProvider?(): LeaseProvider;

  /** Closes what this backend opened itself; never an injected client. Called once, after pending saves. */
  protected closeResources?(): Promise<void>;

  // ── what everybody uses ───────────────────────────────────────────────────────────────────────────────────────────

  get capabilities(): BackendCapabilities {
    const { capabilities } = this.#own;
    return this.#injectedLeases ? { ...plain(capabilities), leases: true } : capabilities;
  }

  get leases(): LeaseProvider {
    this.#leases ??= this.#injectedLeases ?? this.leaseProvider?.() ?? this.#defaultLeases();
    return this.#leases;
  }

  /** A private copy of the decoded record, at most `recordCache.maxStalenessMs` old; `fresh` reads the store now. */
  async loadToken(options: TokenKeyOptions & { readonly fresh?: boolean } = {}): Promise<TokenCache | undefined> {
    const { tokenKey, signal } = this.#checked(options);
    const record = await (options.fresh ? this.#cached.fresh(tokenKey, { signal }) : this.#cached.current(tokenKey, { signal }));
    return record?.cache.clone();
  }

  /**
   * Merges `cache` into the stored record, three-way by entity, and brings `cache` up to date with it. A cache that was
   * never loaded adds and replaces but removes nothing.
   */
  async saveToken(cache: TokenCache, options: TokenKeyOptions = {}): Promise<void> {
    const { tokenKey, signal } = this.#checked(options);
    checkMethods(cache, 'cache', ['serialize', 'clone']);
    const mine = cache.clone();
    const saved = await this.#cached.update(tokenKey, (theirs) => mergeTokenCaches(cache.base, mine, theirs), { signal });
    if (saved) cache.rebase(saved.cache);
  }

  /** Applies `change` to the stored record by compare-and-swap; resolves to a private copy of what is stored then. */
  async updateToken(change: (cache: TokenCache) => void, options: UpdateTokenOptions = {}): Promise<TokenCache> {
    const { tokenKey, signal } = this.#checked(options);
    if (typeof change !== 'function') throw invalidArgument('updateToken: change must be a function.');
    const update = (cache: TokenCache) => void change(cache);
    const saved = await this.#cached.update(tokenKey, update, { signal, overwriteCorrupt: options.overwriteCorrupt });
    return saved?.cache.clone() ?? new TokenCache();
  }

  /** Whether the store holds a record with something in it. Asks the store. */
  async checkToken(options: TokenKeyOptions = {}): Promise<boolean> {
    const { tokenKey, signal } = this.#checked(options);
    return (await this.#cached.fresh(tokenKey, { signal }))?.cache.hasData ?? false;
  }

  /** Removes the record, also from memory; resolves to whether there was one. */
  async deleteToken(options: TokenKeyOptions = {}): Promise<boolean> {
    const { tokenKey, signal } = this.#checked(options);
    const how = { expect: 'anything', ...(signal ? { signal } : {}) } as const;
    return this.#cached.remove(tokenKey, () => this.#keyed.remove(tokenKey, how), signal);
  }

  /** The token keys of all records. @throws CapabilityError when this backend cannot list. */
  listKeys(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<string> {
    return this.records.list(options);
  }

  /** Asked before each refresh; a subclass may coordinate here as python-o365's backends do. @returns true */
  async shouldRefreshToken(_request: RefreshRequest): Promise<boolean | null> {
    return true;
  }

  /**
   * Waits for pending saves, then closes what this backend opened. Later calls are refused.
   * @throws TokenNotSavedError when tokens could not be saved within 30 s.
   */
  close(): Promise<void> {
    this.#closing ??= this.#cached.close().finally(() => this.closeResources?.());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #rawRecords(): RawRecords {
    return new RawRecords({
      hooks: {
        read: (name, options) => this.readRecord(name, options),
        write: (name, data, options) => this.writeRecord(name, data, options),
        remove: (name, options) => this.removeRecord(name, options),
      },
      capabilities: () => this.#own.capabilities,
      exclusively: (name, task, signal) => this.#exclusively(name, task, signal),
    });
  }

  #recordFace(): RecordStore {
    const invalidating = <T>(key: string, work: Promise<T>) => work.finally(() => this.#cached.invalidate(key));
    return Object.freeze<RecordStore>({
      read: async (key, options) => this.#keyed.read(this.#checked({ tokenKey: key }).tokenKey, options),
      write: async (key, data, options) => {
        const { tokenKey } = this.#checked({ tokenKey: key });
        return invalidating(tokenKey, this.#keyed.write(tokenKey, data, checkExpect(options)));
      },
      remove: async (key, options) => {
        const { tokenKey } = this.#checked({ tokenKey: key });
        return invalidating(tokenKey, this.#keyed.remove(tokenKey, checkExpect(options)));
      },
      list: (options) => {
        this.#checked({});
        return this.#keyed.list(options);
      },
    });
  }

  #checked(options: TokenKeyOptions): { readonly tokenKey: string; readonly signal: AbortSignal | undefined } {
    if (this.#closing) throw new CapabilityError('This backend is closed.');
    options.signal?.throwIfAborted();
    return {
      tokenKey: options.tokenKey === undefined ? this.defaultTokenKey : checkTokenKey(options.tokenKey),
      signal: options.signal,
    };
  }

  #defaultLeases(): LeaseProvider {
    const { conditionalWrites, shared } = this.#own.capabilities;
    if (shared && conditionalWrites) return new ConditionalWriteLeases({ records: this.#raw, clock: this.#clock });
    if (shared)
      process.emitWarning(
        `${this.constructor.name}: without conditional writes its leases hold in this process only. Pass { leases } from another store.`,
        { code: 'TOKENRY_LEASES_IN_PROCESS' },
      );
    return new InProcessLeases({ clock: this.#clock });
  }

  // Without conditional writes nothing but a lease keeps another process from writing between our comparison and our write.
  async #exclusively<T>(name: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!this.capabilities.shared || !this.capabilities.leases) return task();
    const held = await acquireLease(this.leases, `write.${this.id}.${name}`, {
      timing: WRITE_LEASE,
      clock: this.#clock,
      ...(signal ? { signal } : {}),
    });
    if (!('lease' in held)) return task();
    return task().finally(() => held.lease.release());
  }
}

function storeId(own: OwnBackend, keyPrefix: string): string {
  const id = own.id ?? (own.capabilities.shared ? 'shared' : `private:${randomUUID()}`);
  return keyPrefix === '' ? id : `${id}#${keyPrefix}`;
}

function checkMethods(value: object | undefined, name: string, methods: readonly string[]): void {
  if (value === undefined) return;
  const has = (method: string) => typeof (value as Record<string, unknown>)[method] === 'function';
  if (typeof value !== 'object' || value === null || !methods.every(has))
    throw invalidArgument(`${name} must have ${methods.map((method) => `${method}()`).join(', ')}.`);
}

function checkExpect<T extends WriteOptions | RemoveOptions>(options: T): T {
  const expect: unknown = options?.expect;
  const versioned =
    typeof expect === 'object' && expect !== null && typeof (expect as { version?: unknown }).version === 'string';
  if (!versioned && expect !== 'anything' && expect !== 'absent')
    throw invalidArgument("expect is required: 'anything', 'absent' or { version }.");
  return options;
}

function plain(capabilities: BackendCapabilities): BackendCapabilities {
  const { conditionalWrites, leases, list, durable, shared, maxRecordBytes } = capabilities;
  return { conditionalWrites, leases, list, durable, shared, ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }) };
}
