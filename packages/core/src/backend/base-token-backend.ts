import type { Clock } from '../clock.js';
import { CapabilityError } from '../errors.js';
import { checkNames, invalidArgument } from '../options.js';
import { mergeTokenCaches } from '../tokens/merge.js';
import { TokenCache } from '../tokens/token-cache.js';
import {
  type BaseTokenBackendOptions,
  checkBackendOptions,
  checkExpectation,
  checkMethods,
  type OwnBackend,
  withInjectedLeases,
} from './backend-options.js';
import { CachedRecords } from './cached-records.js';
import { ConditionalWriteLeases } from './conditional-write-leases.js';
import { InProcessLeases } from './in-process-leases.js';
import { KeyedRecords } from './keyed-records.js';
import { acquireLease } from './lease.js';
import { RawRecords } from './raw-records.js';
import { RECORD_ACCESS } from './record-access.js';
import { RecordKeys } from './record-key.js';
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
import { checkTokenKey } from './token-key.js';

export type { BaseTokenBackendOptions, OwnBackend } from './backend-options.js';

const BRAND = Symbol.for('tokenry.tokenBackend');

/** How long a write waits for another process where the store compares nothing itself. */
const WRITE_LEASE = { ttlMs: 30_000, renewEveryMs: 10_000, waitMs: 30_000 };
const KEY_OPTIONS: readonly string[] = ['tokenKey', 'signal'];
const LOAD_OPTIONS = [...KEY_OPTIONS, 'fresh'];
const UPDATE_OPTIONS = [...KEY_OPTIONS, 'overwriteCorrupt'];

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
    const { keyPrefix, ...checked } = checkBackendOptions(new.target.name, own, options);
    this.id = checked.id;
    this.defaultTokenKey = checked.defaultTokenKey;
    this.#own = own;
    this.#injectedLeases = checked.leases;
    this.#clock = checked.clock;
    this.#raw = this.#rawRecords();
    const keys = new RecordKeys({ ...own.recordNames, defaultTokenKey: checked.defaultTokenKey, keyPrefix });
    this.#keyed = new KeyedRecords({
      raw: this.#raw,
      keys,
      keyPrefix,
      cryptographyManager: checked.cryptographyManager,
      listNames: (listing) => this.listRecords?.(listing),
      now: () => this.#clock.now(),
    });
    this.#cached = new CachedRecords({
      source: new StoredTokens({ records: this.#keyed, clock: this.#clock }),
      clock: this.#clock,
      cache: checked.recordCache,
      deferMs: (tokenKey) => this.deferAccessTokensMs?.(keys.nameOf(tokenKey)) ?? 0,
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

  /**
   * Removes one record if `options.expect` is met, and resolves to whether there was one. A record that is absent is no
   * conflict, whatever version was expected: it is as gone as it was to be, and the answer is `false`. So of several who
   * remove the same version at once one hears `true`.
   * @throws VersionConflictError when another version is stored.
   */
  protected abstract removeRecord(name: string, options: RemoveOptions): Promise<boolean>;

  /** Yields the names of all records, in any order; side records and strangers are sorted out by the base class. */
  protected listRecords?(options: { readonly signal?: AbortSignal }): AsyncIterable<string>;

  /** Where writes are rationed: for how long a refresh that brought only access tokens waits in memory for the next write. */
  protected deferAccessTokensMs?(name: string): number;

  /** The store's own leases; asked once. Without it: leases on conditional writes, else in this process only. */
  protected leaseProvider?(): LeaseProvider;

  /** Closes what this backend opened itself; never an injected client. Called once, after pending saves. */
  protected closeResources?(): Promise<void>;

  /** For a store that tells of changes made elsewhere: drops the record from memory, so that its next use reads it again. */
  protected forgetRecord(name: string): void {
    const tokenKey = this.#keyed.tokenKeyOf(name);
    if (tokenKey !== undefined) this.#cached.invalidate(tokenKey);
  }

  /**
   * For a store that may have lost what it had confirmed, as after a fail-over: reads again each record whose refresh token
   * this process replaced in the last ten minutes (of the last 1 000 such records); what is missing there is saved again.
   * @throws BackendUnavailableError, or what else an outage is reported as, when the store cannot be asked.
   */
  protected checkRecentSaves(): Promise<void> {
    return this.#cached.checkRecent();
  }

  // ── what everybody uses ───────────────────────────────────────────────────────────────────────────────────────────

  get capabilities(): BackendCapabilities {
    const { capabilities } = this.#own;
    return this.#injectedLeases ? withInjectedLeases(capabilities) : capabilities;
  }

  get leases(): LeaseProvider {
    this.#leases ??= this.#injectedLeases ?? this.leaseProvider?.() ?? this.#defaultLeases();
    return this.#leases;
  }

  /** A private copy of the decoded record, at most `recordCache.maxStalenessMs` old; `fresh` reads the store now. */
  async loadToken(options: TokenKeyOptions & { readonly fresh?: boolean } = {}): Promise<TokenCache | undefined> {
    const { tokenKey, signal } = this.#named('loadToken', options, LOAD_OPTIONS);
    const record = await (options.fresh ? this.#cached.fresh(tokenKey, { signal }) : this.#cached.current(tokenKey, { signal }));
    return record?.cache.clone();
  }

  /**
   * Merges `cache` into the stored record, three-way by entity, and brings `cache` up to date with it. A cache that was
   * never loaded adds and replaces but removes nothing.
   */
  async saveToken(cache: TokenCache, options: TokenKeyOptions = {}): Promise<void> {
    const { tokenKey, signal } = this.#named('saveToken', options);
    checkMethods(cache, 'cache', ['serialize', 'clone']);
    const mine = cache.clone();
    const saved = await this.#cached.update(tokenKey, (theirs) => mergeTokenCaches(cache.base, mine, theirs), { signal });
    if (saved) cache.rebase(saved.cache);
  }

  /** Applies `change` to the stored record by compare-and-swap; resolves to a private copy of what is stored then. */
  async updateToken(change: (cache: TokenCache) => void, options: UpdateTokenOptions = {}): Promise<TokenCache> {
    const { tokenKey, signal } = this.#named('updateToken', options, UPDATE_OPTIONS);
    if (typeof change !== 'function') throw invalidArgument('updateToken: change must be a function.');
    const update = (cache: TokenCache) => void change(cache) as undefined;
    const saved = await this.#cached.update(tokenKey, update, { signal, overwriteCorrupt: options.overwriteCorrupt });
    return saved?.cache.clone() ?? new TokenCache();
  }

  /** Whether the store holds a record with something in it. Asks the store. */
  async checkToken(options: TokenKeyOptions = {}): Promise<boolean> {
    const { tokenKey, signal } = this.#named('checkToken', options);
    return (await this.#cached.fresh(tokenKey, { signal }))?.cache.hasData ?? false;
  }

  /** Removes the record, also from memory; resolves to whether there was one. */
  async deleteToken(options: TokenKeyOptions = {}): Promise<boolean> {
    const { tokenKey, signal } = this.#named('deleteToken', options);
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
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #close(): Promise<void> {
    try {
      await this.#cached.close();
    } finally {
      await this.closeResources?.();
    }
  }

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
      read: async (key, options) => {
        const found = await this.#keyed.read(this.#checked({ tokenKey: key }).tokenKey, options);
        // Inside, versions are worked out late; who gets it here may copy or compare it.
        return typeof found === 'object' ? { data: found.data, version: found.version } : found;
      },
      write: async (key, data, options) => {
        const { tokenKey } = this.#checked({ tokenKey: key });
        return invalidating(tokenKey, this.#keyed.write(tokenKey, data, checkExpectation(options)));
      },
      remove: async (key, options) => {
        const { tokenKey } = this.#checked({ tokenKey: key });
        return invalidating(tokenKey, this.#keyed.remove(tokenKey, checkExpectation(options)));
      },
      list: (options) => {
        this.#checked({});
        return this.#keyed.list(options);
      },
    });
  }

  // A misspelt tokenKey would mean the default record: the wrong one to read, and worse to write or delete.
  #named(method: string, options: TokenKeyOptions, allowed = KEY_OPTIONS) {
    checkNames(method, options, allowed);
    return this.#checked(options);
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
    try {
      return await task();
    } finally {
      await held.lease.release();
    }
  }
}
