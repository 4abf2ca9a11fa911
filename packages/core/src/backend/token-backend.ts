import type { AccountInfo } from '../tokens/schema.js';
import type { TokenCache } from '../tokens/token-cache.js';

/** What a write requires of the stored record; unmet, it throws `VersionConflictError` and writes nothing. */
export type Expectation = 'anything' | 'absent' | { readonly version: string };

/** A record as a store holds it. No `version`: the base class hashes the content. */
export interface StoredRecord {
  readonly data: Uint8Array;
  /** May be a getter, where it takes work: it is asked for once, and only if something is compared. */
  readonly version?: string;
}
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Answer `'not-modified'` when the stored version is this one. */
  readonly ifNotVersion?: string;
}
export interface WriteOptions {
  readonly signal?: AbortSignal;
  readonly expect: Expectation;
}
export interface RemoveOptions {
  readonly signal?: AbortSignal;
  readonly expect: Exclude<Expectation, 'absent'>;
}

/** What this instance can do, "as proven so far" where a probe decides. */
export interface BackendCapabilities {
  /** The store itself refuses a write whose expectation is unmet. */
  readonly conditionalWrites: boolean;
  /** `leases` excludes everybody who shares the store, not only this process. */
  readonly leases: boolean;
  readonly list: boolean;
  /** Records outlive the process. */
  readonly durable: boolean;
  /** Several processes or instances see the same records. */
  readonly shared: boolean;
  readonly maxRecordBytes?: number;
}

/** Records as bytes: for caches of other packages, migration, diagnosis and the conformance kit. */
export interface RecordStore {
  /** `undefined` means absent, and only that. */
  read(key: string, options?: ReadOptions): Promise<Required<StoredRecord> | 'not-modified' | undefined>;
  /** Resolves to the new version. */
  write(key: string, data: Uint8Array, options: WriteOptions): Promise<string>;
  /** Resolves to whether a record was there; an absent one is no conflict, whatever version was expected. */
  remove(key: string, options: RemoveOptions): Promise<boolean>;
  list(options?: { readonly signal?: AbortSignal }): AsyncIterable<string>;
}

export interface LeaseRequest {
  /** Names one holder; a second request of the same owner for a held lease is refused like any other. */
  readonly owner: string;
  readonly ttlMs: number;
  readonly signal?: AbortSignal;
}
/** The right to spend one refresh token, for a limited time. Waiting, heartbeat and loss live in core, once. */
export interface LeaseProvider {
  tryAcquire(
    name: string,
    request: LeaseRequest,
  ): Promise<{ readonly acquired: true } | { readonly acquired: false; readonly holder: string; readonly version: string }>;
  /** `false`: the lease is lost. */
  renew(name: string, request: LeaseRequest): Promise<boolean>;
  /** Never releases a stranger's lease. */
  release(name: string, request: LeaseRequest): Promise<void>;
}

/** What `shouldRefreshToken` decides on. */
export interface RefreshRequest {
  readonly tokenKey: string;
  readonly account: AccountInfo | undefined;
  readonly tokenIsExpired: boolean;
  /** Reads the record again; true: a token that serves this request is there now. */
  reload(): Promise<boolean>;
  /** Refreshes under the lease and saves; does not join the refresh that asks. */
  refresh(): Promise<void>;
}

export interface TokenKeyOptions {
  readonly tokenKey?: string;
  readonly signal?: AbortSignal;
}

export interface UpdateTokenOptions extends TokenKeyOptions {
  /**
   * For sign-ins: a record that cannot be read (corrupt, or not decrypting) is copied aside as `=corrupt-…` and replaced.
   * Without it such a record is an error, and stays as it is. @default false
   */
  readonly overwriteCorrupt?: boolean;
}

/** Structural: what Account, the cache plugin, the conformance kit and tools type against. */
export interface TokenBackend {
  /** Stable name of the store that this instance opens: two instances on one store share it, so that their leases meet. */
  readonly id: string;
  /** The token key used where none is given. */
  readonly defaultTokenKey: string;
  readonly capabilities: BackendCapabilities;
  readonly records: RecordStore;
  readonly leases: LeaseProvider;
  /** A private copy of the decoded record; `fresh` reads the store, whatever is cached. */
  loadToken(options?: TokenKeyOptions & { readonly fresh?: boolean }): Promise<TokenCache | undefined>;
  /** Merges against the version the cache came from; a cache that was never loaded adds and replaces but removes nothing. */
  saveToken(cache: TokenCache, options?: TokenKeyOptions): Promise<void>;
  /** `change` is synchronous and may run again after a conflict. */
  updateToken(change: (cache: TokenCache) => void, options?: UpdateTokenOptions): Promise<TokenCache>;
  checkToken(options?: TokenKeyOptions): Promise<boolean>;
  deleteToken(options?: TokenKeyOptions): Promise<boolean>;
  listKeys(options?: { readonly signal?: AbortSignal }): AsyncIterable<string>;
  /** `true` refresh; `false` somebody else did: reload; `null` this backend did it through `request.refresh()`: reload. */
  shouldRefreshToken(request: RefreshRequest): Promise<boolean | null>;
  close(): Promise<void>;
}
