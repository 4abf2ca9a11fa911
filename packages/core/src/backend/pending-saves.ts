import { type Clock, sleep } from '../clock.js';
import { TokenNotSavedError, TokenryError } from '../errors.js';
import { emit } from '../observability/events.js';
import { AccessTokenIndex } from '../tokens/access-token-index.js';
import { TokenCache } from '../tokens/token-cache.js';
import type { DecodedRecord } from './record-source.js';

export type Change = (cache: TokenCache) => void;

/** A pending save holds the process alive for this long; after that it is tried on, but no longer in anyone's way. */
const HOLD_MS = 30_000;
const CLOSE_MS = 30_000;
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 30_000;
/** While closing nobody wants to wait for a long back-off. */
const MAX_CLOSING_WAIT_MS = 1_000;

/** The changes of one record that the store has not taken yet. */
interface PendingRecord {
  changes: Change[];
  /** The record as last seen, kept here because the record cache may drop it. */
  base: DecodedRecord | undefined;
  since: number;
  /** Monotonic instant before which nobody needs to save this; `undefined`: the sooner the better. */
  deferredUntil: number | undefined;
  readonly settled: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  wake: AbortController;
  attempts: number;
  /** Memo: `changes` applied to `on`. */
  overlaid:
    | { readonly on: DecodedRecord | undefined; readonly count: number; readonly record: DecodedRecord | undefined }
    | undefined;
}

/**
 * Tokens that the server issued and the store could not take: kept outside the record cache, laid over every read, and
 * saved as soon as the store is back. Losing them would lose a one-time refresh token.
 */
export class PendingSaves {
  readonly #records = new Map<string, PendingRecord>();
  readonly #clock: Clock;
  readonly #save: (tokenKey: string) => Promise<boolean>;
  readonly #deferMs: (tokenKey: string) => Promise<number>;
  /** Changes that the store will not get any more: each was told of, however many reads find it lost. */
  readonly #givenUp = new WeakSet<Change>();
  #closing = false;
  #closed = false;

  /**
   * `save` tries once to save what is pending under a key; `true`: done, and `settle` was called. `deferMs` says how much
   * longer something deferred should wait, now that its time has come.
   */
  constructor(options: {
    readonly clock: Clock;
    readonly save: (tokenKey: string) => Promise<boolean>;
    readonly deferMs?: (tokenKey: string) => Promise<number>;
  }) {
    this.#clock = options.clock;
    this.#save = options.save;
    this.#deferMs = options.deferMs ?? (async () => 0);
  }

  get size(): number {
    return this.#records.size;
  }

  has(tokenKey: string): boolean {
    return this.#records.has(tokenKey);
  }

  /** True: something is pending that should be in the store already. */
  isUrgent(tokenKey: string): boolean {
    const pending = this.#records.get(tokenKey);
    return pending !== undefined && pending.deferredUntil === undefined;
  }

  /** Adds a change; the promise settles when the store has it, or `close()` gives up. */
  add(tokenKey: string, change: Change, base: DecodedRecord | undefined): Promise<void> {
    if (this.#closed) return this.#refuse(tokenKey, change);
    const existing = this.#records.get(tokenKey);
    if (!existing) return this.#begin(tokenKey, change, base, undefined);
    if (existing.deferredUntil !== undefined) this.#hurry(existing);
    return this.#join(existing, change, base);
  }

  /** Adds what was saved before and is no longer in the store, in front: whatever else is pending was obtained later. */
  addAgain(tokenKey: string, changes: readonly Change[], base: DecodedRecord): void {
    for (const change of changes) void this.add(tokenKey, change, base);
    const pending = this.#records.get(tokenKey);
    if (!pending || changes.every((change, index) => pending.changes[index] === change)) return;
    pending.changes = [...new Set([...changes, ...pending.changes])];
    pending.overlaid = undefined;
  }

  /**
   * Adds a change that may wait for `ms`, for the next write of the record, or for ever: nothing is lost with it that the
   * server would not issue again. It holds neither the process nor `close()`.
   */
  defer(tokenKey: string, change: Change, base: DecodedRecord | undefined, ms: number): void {
    if (this.#closed) return;
    const existing = this.#records.get(tokenKey);
    if (existing) void this.#join(existing, change, base);
    else void this.#begin(tokenKey, change, base, this.#clock.monotonic() + ms);
  }

  // The store is closed, and nobody would end the attempts.
  #refuse(tokenKey: string, change: Change): Promise<void> {
    if (!this.#givenUp.has(change)) emit('save', () => ({ tokenKey, outcome: 'token-not-saved', attempts: 1, durationMs: 0 }));
    this.#givenUp.add(change);
    const refused = Promise.reject(
      new TokenNotSavedError('The newest tokens of a record came when the backend was closed.', { tokenKeys: [tokenKey] }),
    );
    refused.catch(() => {});
    return refused;
  }

  #join(existing: PendingRecord, change: Change, base: DecodedRecord | undefined): Promise<void> {
    if (!existing.changes.includes(change)) existing.changes.push(change);
    existing.base = base ?? existing.base;
    return existing.settled;
  }

  #hurry(pending: PendingRecord): void {
    pending.deferredUntil = undefined;
    pending.since = this.#clock.monotonic();
    pending.wake.abort();
  }

  #begin(tokenKey: string, change: Change, base: DecodedRecord | undefined, deferredUntil: number | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    const pending: PendingRecord = {
      changes: [change],
      base,
      since: this.#clock.monotonic(),
      deferredUntil,
      settled: promise,
      resolve,
      reject,
      wake: new AbortController(),
      attempts: 1,
      overlaid: undefined,
    };
    this.#records.set(tokenKey, pending);
    const outcome = deferredUntil === undefined ? 'token-not-saved' : 'deferred';
    emit('save', () => ({ tokenKey, outcome, attempts: 1, durationMs: 0 }));
    void this.#retry(tokenKey, pending);
    return promise;
  }

  /** What waits to be saved under this key, oldest first. */
  changesOf(tokenKey: string): readonly Change[] {
    return [...(this.#records.get(tokenKey)?.changes ?? [])];
  }

  /** The record with everything pending laid over it; without `record`, over the one last seen. */
  overlay(tokenKey: string, record: DecodedRecord | undefined): DecodedRecord | undefined {
    const pending = this.#records.get(tokenKey);
    if (!pending) return record;
    const { overlaid, changes } = pending;
    if (overlaid && overlaid.on === record && overlaid.count === changes.length) return overlaid.record;
    const laid = layOver(record, changes);
    pending.overlaid = { on: record, count: changes.length, record: laid };
    return laid;
  }

  /** The record as last seen, while something is pending for it. */
  lastSeen(tokenKey: string): DecodedRecord | undefined {
    return this.#records.get(tokenKey)?.base;
  }

  seen(tokenKey: string, record: DecodedRecord | undefined): void {
    const pending = this.#records.get(tokenKey);
    if (pending) pending.base = record;
  }

  /** These changes (all, if none are named) are in the store, or no longer wanted there. */
  settle(tokenKey: string, done?: readonly Change[]): void {
    const pending = this.#records.get(tokenKey);
    if (!pending) return;
    const left = done ? pending.changes.filter((change) => !done.includes(change)) : [];
    // What came while the others were being written waits for its own turn.
    pending.changes = left;
    pending.overlaid = undefined;
    if (left.length > 0) return;
    this.#records.delete(tokenKey);
    pending.resolve();
    pending.wake.abort();
  }

  /**
   * Tries to save everything now, for at most 30 s.
   * @throws TokenNotSavedError naming what had to be given up.
   */
  async close(): Promise<void> {
    this.#closing = true;
    for (const [tokenKey, pending] of this.#records) if (pending.deferredUntil !== undefined) this.settle(tokenKey);
    if (this.#records.size > 0) await this.#savedInTime();
    this.#closed = true;
    this.#giveUp();
  }

  async #savedInTime(): Promise<void> {
    const deadline = new AbortController();
    const all = Promise.allSettled([...this.#records.values()].map((pending) => pending.settled));
    for (const pending of this.#records.values()) pending.wake.abort();
    const tooLate = sleep(this.#clock, CLOSE_MS, { signal: deadline.signal, hold: true }).catch(() => {});
    await Promise.race([all, tooLate]);
    deadline.abort();
  }

  #giveUp(): void {
    const tokenKeys = [...this.#records.keys()];
    if (tokenKeys.length === 0) return;
    const error = new TokenNotSavedError(
      `The newest tokens of ${tokenKeys.length} record(s) could not be saved before closing.`,
      { tokenKeys },
    );
    for (const [tokenKey, pending] of this.#records) {
      this.#records.delete(tokenKey);
      for (const change of pending.changes) this.#givenUp.add(change);
      pending.reject(error);
      pending.wake.abort();
    }
    throw error;
  }

  async #retry(tokenKey: string, pending: PendingRecord): Promise<void> {
    while (this.#records.get(tokenKey) === pending) {
      await this.#pause(pending);
      if (this.#records.get(tokenKey) !== pending) return;
      if (pending.deferredUntil !== undefined && (await this.#deferredAgain(tokenKey, pending))) continue;
      pending.attempts += 1;
      const saved = await this.#save(tokenKey).catch((error: unknown) => {
        const code = TokenryError.is(error) ? error.code : 'TOKENRY_UNKNOWN';
        emit('fault', () => ({ operation: 'write', tokenKey, code }));
        return false;
      });
      if (pending.deferredUntil !== undefined) pending.deferredUntil = this.#clock.monotonic() + MAX_WAIT_MS;
      else if (!saved && this.#records.get(tokenKey) === pending)
        emit('save', () => ({
          tokenKey,
          outcome: 'token-not-saved',
          attempts: pending.attempts,
          durationMs: this.#clock.monotonic() - pending.since,
        }));
    }
  }

  // Another process may have written meanwhile: then this one's turn comes later.
  async #deferredAgain(tokenKey: string, pending: PendingRecord): Promise<boolean> {
    const moreMs = await this.#deferMs(tokenKey).catch(() => MAX_WAIT_MS);
    if (moreMs > 0 && pending.deferredUntil !== undefined) pending.deferredUntil = this.#clock.monotonic() + moreMs;
    return moreMs > 0;
  }

  async #pause(pending: PendingRecord): Promise<void> {
    if (pending.deferredUntil !== undefined) {
      const waitMs = Math.max(0, pending.deferredUntil - this.#clock.monotonic());
      await sleep(this.#clock, waitMs, { signal: pending.wake.signal }).catch(() => {});
      if (pending.wake.signal.aborted) pending.wake = new AbortController();
      return;
    }
    const cap = this.#closing ? MAX_CLOSING_WAIT_MS : MAX_WAIT_MS;
    const full = Math.min(cap, FIRST_WAIT_MS * 2 ** Math.min(pending.attempts - 1, 30));
    const waitMs = full / 2 + Math.random() * (full / 2);
    const heldMs = pending.since + HOLD_MS - this.#clock.monotonic();
    const hold = this.#closing || heldMs > 0;
    // The last wait that holds the process ends with the 30 s: one more try before it may exit.
    await sleep(this.#clock, hold && !this.#closing ? Math.min(waitMs, heldMs) : waitMs, {
      signal: pending.wake.signal,
      hold,
    }).catch(() => {});
    if (pending.wake.signal.aborted) pending.wake = new AbortController();
  }
}

function layOver(record: DecodedRecord | undefined, changes: readonly Change[]): DecodedRecord | undefined {
  const cache = record ? record.cache.clone() : new TokenCache();
  for (const change of changes) change(cache);
  if (!record && !cache.hasData) return undefined;
  return { version: `${record?.version ?? 'absent'}+${changes.length} pending`, cache, index: new AccessTokenIndex(cache) };
}
