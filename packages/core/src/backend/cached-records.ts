import type { Clock } from '../clock.js';
import {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  TimeoutError,
  TokenryError,
} from '../errors.js';
import { emit } from '../observability/events.js';
import { TokenCache } from '../tokens/token-cache.js';
import { untilAborted } from '../until-aborted.js';
import { KeyQueue } from './key-queue.js';
import { bringsOnlyAccessTokens } from './only-access-tokens.js';
import { type Change, PendingSaves } from './pending-saves.js';
import { RecentChanges } from './recent-changes.js';
import type { CommitResult, RecordAccess, SignalOption } from './record-access-contract.js';
import { type CachedRecord, RecordCache, type RecordCacheOptions } from './record-cache.js';
import type { DecodedRecord, RecordSource, Update, UpdateOptions } from './record-source.js';

/** How long an old record serves without another question after the store failed to answer one. */
const EXCUSE_MS = 1_000;
/** How often a read that this process's own saves overtook is repeated. */
const MAX_OVERTAKEN = 5;

export interface CachedRecordsOptions {
  readonly source: RecordSource;
  readonly clock: Clock;
  readonly cache: Required<RecordCacheOptions>;
  /** How long a change that brings nothing but access tokens should wait before it is written. @default not at all */
  readonly deferMs?: (tokenKey: string) => number;
}

/** A record cache and a map of pending saves in front of a source of records. */
export class CachedRecords implements RecordAccess {
  readonly #source: RecordSource;
  readonly #clock: Clock;
  readonly #cache: RecordCache;
  readonly #pending: PendingSaves;
  readonly #recent: RecentChanges;
  readonly #queue = new KeyQueue();
  readonly #sharedReads = new Map<string, Promise<DecodedRecord | undefined>>();
  readonly #deferMs: (tokenKey: string) => number;

  constructor({ source, clock, cache, deferMs = () => 0 }: CachedRecordsOptions) {
    this.#source = source;
    this.#deferMs = deferMs;
    this.#clock = clock;
    this.#cache = new RecordCache(cache, clock);
    this.#recent = new RecentChanges(clock);
    this.#pending = new PendingSaves({
      clock,
      save: (tokenKey) => this.#savePending(tokenKey),
      deferMs: (tokenKey) => this.#read(tokenKey).then(() => deferMs(tokenKey)),
    });
  }

  locate(tokenKey: string): CachedRecord | undefined {
    return this.#cache.get(tokenKey);
  }

  peek(tokenKey: string, entry = this.#cache.get(tokenKey)): DecodedRecord | undefined {
    const record = entry?.record;
    if (entry === undefined || record === undefined) return undefined;
    this.#cache.touch(tokenKey, entry);
    const now = this.#clock.monotonic();
    if (now >= entry.nextCheckAt && !this.#stillServes(tokenKey, entry, now)) return undefined;
    return this.#pending.size === 0 ? record : this.#pending.overlay(tokenKey, record);
  }

  current(tokenKey: string, { signal }: SignalOption = {}): Promise<DecodedRecord | undefined> {
    const record = this.peek(tokenKey);
    if (record) return Promise.resolve(record);
    return untilAborted(this.#sharedRead(tokenKey), signal);
  }

  fresh(tokenKey: string, options: SignalOption = {}): Promise<DecodedRecord | undefined> {
    return this.#read(tokenKey, options.signal);
  }

  commit(tokenKey: string, change: Change, options: SignalOption = {}): Promise<CommitResult> {
    return this.#queue.run(tokenKey, async () => {
      if (this.#deferred(tokenKey, change)) return { saved: true, settled: Promise.resolve() };
      let thrown: { readonly error: unknown } | undefined;
      const update = (cache: Parameters<Change>[0]): undefined => {
        try {
          this.#recent.apply(change, cache);
        } catch (error) {
          thrown = { error };
          throw error;
        }
      };
      try {
        await this.#update(tokenKey, update, options);
        this.#recent.remember(tokenKey, change);
        return { saved: true, settled: Promise.resolve() };
      } catch (error) {
        // Whatever the store's trouble is, the tokens exist: the server has issued them.
        if (thrown) throw error;
        return { saved: false, settled: this.#pending.add(tokenKey, change, this.#cache.get(tokenKey)?.record) };
      }
    });
  }

  hasPending(tokenKey: string): boolean {
    return this.#pending.isUrgent(tokenKey);
  }

  /** Applies `update`, together with whatever is pending, and resolves to the stored record. Errors are the caller's. */
  async update(tokenKey: string, update: Update, options: UpdateOptions = {}): Promise<DecodedRecord | undefined> {
    return this.#queue.run(tokenKey, async () => (await this.#update(tokenKey, update, options)).after, options.signal);
  }

  /** Runs `remove` in the queue of this key, then forgets everything about the record. */
  remove<T>(tokenKey: string, remove: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#queue.run(
      tokenKey,
      async () => {
        const result = await remove();
        this.#recent.forget(tokenKey);
        this.#pending.settle(tokenKey);
        this.#cache.forget(tokenKey);
        return result;
      },
      signal,
    );
  }

  /** The stored bytes were changed past this object. */
  invalidate(tokenKey: string): void {
    this.#cache.forget(tokenKey);
  }

  /**
   * Reads every record again whose refresh token this process replaced lately: what the store has lost becomes pending.
   * @throws whatever an outage is reported as. A record that cannot be read for another reason is passed over.
   */
  async checkRecent(): Promise<void> {
    for (const tokenKey of this.#recent.tokenKeys())
      await this.#read(tokenKey).catch((error: unknown) => {
        if (isOutage(error)) throw error;
      });
  }

  /** @throws TokenNotSavedError when something pending had to be given up. */
  async close(): Promise<void> {
    try {
      await this.#pending.close();
    } finally {
      this.#cache.clear();
    }
  }

  /** True: the change waits in memory, and rides along with the next write of the record. */
  #deferred(tokenKey: string, change: Change): boolean {
    const record = this.#cache.get(tokenKey)?.record;
    const waitMs = record === undefined || this.#pending.isUrgent(tokenKey) ? 0 : this.#deferMs(tokenKey);
    if (record === undefined || waitMs <= 0 || !bringsOnlyAccessTokens(record.cache, change)) return false;
    this.#pending.defer(tokenKey, change, record, waitMs);
    return true;
  }

  async #update(tokenKey: string, update: Update, options: UpdateOptions) {
    const pending = this.#pending.changesOf(tokenKey);
    const all: Update = (cache) => {
      // What follows may build on what the store has lost: a refresh token replaces the one that was spent for it alone.
      for (const change of new Set([...this.#recent.undoneIn(tokenKey, cache), ...pending])) this.#recent.apply(change, cache);
      const result = update(cache);
      // A merge counts from what it was given; what was laid over that has to be written as well.
      return result && TokenCache.fromState(result.state, cache.base?.state);
    };
    const ticket = this.#cache.begin(tokenKey);
    try {
      const updated = await this.#source.update(tokenKey, all, { ...options, known: ticket.known });
      for (const change of pending) this.#recent.remember(tokenKey, change);
      this.#pending.settle(tokenKey, pending);
      this.#cache.endSave(ticket, updated);
      return updated;
    } catch (error) {
      this.#cache.cancel(ticket);
      throw error;
    }
  }

  async #savePending(tokenKey: string): Promise<boolean> {
    await this.#queue.run(tokenKey, async () => {
      if (this.#pending.has(tokenKey)) await this.#update(tokenKey, () => undefined, {});
    });
    return true;
  }

  #stillServes(tokenKey: string, entry: CachedRecord, now: number): boolean {
    if (now < entry.excusedUntil) return true;
    if (this.#cache.isStale(entry, now)) return false;
    if (!this.#sharedReads.has(tokenKey))
      this.#sharedRead(tokenKey).catch((error: unknown) => this.#servedStale(tokenKey, error));
    return true;
  }

  /** One read for all who ask at the same time; nobody's signal ends it for the others. */
  #sharedRead(tokenKey: string): Promise<DecodedRecord | undefined> {
    const underWay = this.#sharedReads.get(tokenKey);
    if (underWay) return underWay;
    const read = this.#readOrRemember(tokenKey);
    this.#sharedReads.set(tokenKey, read);
    return read;
  }

  async #readOrRemember(tokenKey: string): Promise<DecodedRecord | undefined> {
    try {
      return await this.#read(tokenKey);
    } catch (error) {
      const old = isOutage(error) ? this.#inMemory(tokenKey) : undefined;
      if (!old) throw error;
      this.#servedStale(tokenKey, error);
      return old;
    } finally {
      this.#sharedReads.delete(tokenKey);
    }
  }

  #servedStale(tokenKey: string, error: unknown): void {
    const code = TokenryError.is(error) ? error.code : 'TOKENRY_UNKNOWN';
    emit('fault', () => ({ operation: 'read', tokenKey, code, servedStale: true }));
  }

  /** What the store holds at some instant after the call: never older, whatever this process saves meanwhile. */
  async #read(tokenKey: string, signal?: AbortSignal): Promise<DecodedRecord | undefined> {
    for (let round = 1; ; round++) {
      // Sent first, and noted in the same turn, while the store is at work.
      const reading = this.#source.read(tokenKey, { signal, known: this.#cache.get(tokenKey)?.record });
      const ticket = this.#cache.begin(tokenKey);
      try {
        const record = await reading;
        this.#cache.endRead(ticket, record);
        if (!ticket.outdated) return this.#shown(tokenKey, record);
        // Saved by us since the read was sent: what came back may lack that. What was saved may be older still: the save
        // was sent before, and another process has written since. Only another read shows both.
        if (round === MAX_OVERTAKEN) return this.#pending.overlay(tokenKey, record);
      } catch (error) {
        this.#cache.cancel(ticket);
        const entry = this.#cache.get(tokenKey);
        if (entry && isOutage(error)) this.#cache.excuse(entry, EXCUSE_MS);
        throw error;
      }
    }
  }

  #shown(tokenKey: string, record: DecodedRecord | undefined): DecodedRecord | undefined {
    if (record) this.#pending.addAgain(tokenKey, this.#recent.undoneIn(tokenKey, record.cache), record);
    this.#pending.seen(tokenKey, record);
    return this.#pending.overlay(tokenKey, record);
  }

  #inMemory(tokenKey: string): DecodedRecord | undefined {
    return this.#pending.overlay(tokenKey, this.#cache.get(tokenKey)?.record ?? this.#pending.lastSeen(tokenKey));
  }
}

/** The store did not answer, or would not: the record may well be there. */
function isOutage(error: unknown): boolean {
  return (
    BackendUnavailableError.is(error) ||
    BackendThrottledError.is(error) ||
    TimeoutError.is(error) ||
    BackendAccessDeniedError.is(error)
  );
}
