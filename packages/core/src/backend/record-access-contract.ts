import type { Change } from './pending-saves.js';
import type { CachedRecord } from './record-cache.js';
import type { DecodedRecord } from './record-source.js';

export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

export interface CommitResult {
  /** False: the store could not take it now; it is pending. A change that was deferred on purpose counts as saved. */
  readonly saved: boolean;
  /** Resolves when it is saved; rejects with TokenNotSavedError when `close()` gives up. */
  readonly settled: Promise<void>;
}

/** Decoded records, as the refresh coordinator and the hot path use them. */
export interface RecordAccess {
  /** Where the record lies in memory, for `peek`. */
  locate(tokenKey: string): CachedRecord | undefined;
  /** From memory: `undefined` when absent or too old; an ageing record is read again in the background. */
  peek(tokenKey: string, entry?: CachedRecord): DecodedRecord | undefined;
  /** From memory or the store. When the store is down and the record is in memory, that one. */
  current(tokenKey: string, options?: SignalOption): Promise<DecodedRecord | undefined>;
  /** From the store, now. */
  fresh(tokenKey: string, options?: SignalOption): Promise<DecodedRecord | undefined>;
  /**
   * Applies `change` to the stored record by compare-and-swap. `change` is synchronous, may run again, and does nothing
   * when its effect is there already. What the store cannot take now stays pending: laid over every read and saved later.
   * An aborted `signal` ends the direct attempt only. Rejects when `change` itself throws.
   */
  commit(tokenKey: string, change: Change, options?: SignalOption): Promise<CommitResult>;
  hasPending(tokenKey: string): boolean;
}
