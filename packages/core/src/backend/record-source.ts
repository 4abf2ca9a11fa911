import type { AccessTokenIndex } from '../tokens/access-token-index.js';
import type { TokenCache } from '../tokens/token-cache.js';

/** A record as everybody in this process shares it. */
export interface DecodedRecord {
  readonly version: string;
  /** Shared: never change it; `clone()` first. */
  readonly cache: TokenCache;
  readonly index: AccessTokenIndex;
}

export interface UpdateOptions {
  readonly signal?: AbortSignal | undefined;
  /** The record as last seen; saves a read when it is still the stored one. */
  readonly known?: DecodedRecord | undefined;
  /** Replace a record that cannot be read, after its bytes were copied aside. */
  readonly overwriteCorrupt?: boolean | undefined;
}

export interface Updated {
  /** What the store held when the update was applied; `undefined`: nothing. */
  readonly before: DecodedRecord | undefined;
  /** What it holds now. The same as `before` when the update changed nothing. */
  readonly after: DecodedRecord | undefined;
}

/** Changes the given private copy, or returns another cache to store instead. */
export type Update = (cache: TokenCache) => TokenCache | undefined;

/** Where decoded records come from: our own stores, or a foreign backend's token face. */
export interface RecordSource {
  /** Reads the store; resolves to `known` itself when that is still the stored record. */
  read(tokenKey: string, options: Pick<UpdateOptions, 'signal' | 'known'>): Promise<DecodedRecord | undefined>;
  /** Reads, applies `update` and writes, by compare-and-swap. */
  update(tokenKey: string, update: Update, options: UpdateOptions): Promise<Updated>;
}
