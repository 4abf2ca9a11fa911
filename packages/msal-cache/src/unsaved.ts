import { CapabilityError, RecordTooLargeError, type TokenBackend, TokenryError } from '@tokenry/core/backend';
import { TokenCache } from '@tokenry/core/tokens';
import { Batch, type Change } from './batch.js';

/** A record as the next access sees it. */
export interface Loaded {
  /** What the store held, with everything unsaved laid over it. Synchronous: ask at the moment it is needed. */
  view(): TokenCache;
  /** Say when no view is needed any more. */
  done(): void;
}

const byBackend = new WeakMap<TokenBackend, Map<string, UnsavedRecord>>();

/** The record of this key, shared by all plugins on this backend. Ask for it again after every wait. */
export function unsavedRecord(backend: TokenBackend, tokenKey: string): UnsavedRecord {
  const records = byBackend.get(backend) ?? new Map<string, UnsavedRecord>();
  byBackend.set(backend, records);
  const record = records.get(tokenKey) ?? new UnsavedRecord(backend, tokenKey, () => records.delete(tokenKey));
  records.set(tokenKey, record);
  return record;
}

/**
 * A record together with what this process changed and the store does not show yet. Without it a call that reads while a
 * rotated refresh token is on its way to the store would spend the old one again.
 */
export class UnsavedRecord {
  readonly #backend: TokenBackend;
  readonly #tokenKey: string;
  readonly #forget: () => void;
  readonly #loads = new Set<number>();
  readonly #rejected = new Set<string>();
  #batches: Batch[] = [];
  /** The newest load that asked the store, while any load is in use. */
  #latest: { readonly begun: number; readonly stored: TokenCache } | undefined;
  #writing = false;
  #count = 0;

  constructor(backend: TokenBackend, tokenKey: string, forget: () => void) {
    this.#backend = backend;
    this.#tokenKey = tokenKey;
    this.#forget = forget;
  }

  /** Reads the record; `fresh` asks the store. */
  async load({ fresh }: { readonly fresh: boolean }): Promise<Loaded> {
    const begun = ++this.#count;
    this.#loads.add(begun);
    const done = () => {
      this.#loads.delete(begun);
      this.#tidy();
    };
    try {
      const stored = (await this.#backend.loadToken({ tokenKey: this.#tokenKey, fresh })) ?? new TokenCache();
      // What the backend remembered may be older than what a load that began before is told by the store.
      if (fresh && begun > (this.#latest?.begun ?? 0)) this.#latest = { begun, stored };
      const newest = () => (this.#latest && this.#latest.begun > begun ? this.#latest.stored : stored);
      return { view: () => this.#overlay(newest()), done };
    } catch (error) {
      done();
      throw error;
    }
  }

  /**
   * Saves a change, with all others that come while a write is under way. When the store does not take it this rejects,
   * and the change stays: laid over every later view, and saved with the next one.
   */
  save(change: Change): Promise<void> {
    for (const batch of this.#batches) if (batch.state === 'failed') batch.state = 'waiting';
    let batch = this.#batches.at(-1);
    if (!batch?.add(change)) {
      batch = new Batch(change);
      this.#batches.push(batch);
    }
    const saved = batch.attempt;
    if (!this.#writing) void this.#write();
    return saved;
  }

  /** Takes a refresh token out of the record that the server no longer accepts, if it is still there. */
  async reject(secret: string): Promise<void> {
    this.#rejected.add(secret);
    try {
      await this.#backend.updateToken((cache) => void cache.removeRefreshToken(secret), { tokenKey: this.#tokenKey });
    } finally {
      this.#rejected.delete(secret);
      this.#tidy();
    }
  }

  async #write(): Promise<void> {
    this.#writing = true;
    for (let batch = this.#nextBatch(); batch; batch = this.#nextBatch()) {
      try {
        // What was stored then is not the newest: others may have written since, and a load under way may have seen that.
        await batch.write((cache) => this.#backend.saveToken(cache, { tokenKey: this.#tokenKey }));
        this.#finish(batch);
      } catch (error) {
        // Whatever the store's trouble is, the tokens exist. But what it can never hold must not keep later changes out.
        if (isFinal(error)) this.#finish(batch);
        else batch.state = 'failed';
      }
      this.#tidy();
    }
    this.#writing = false;
    this.#tidy();
  }

  #finish(batch: Batch): void {
    batch.state = 'done';
    batch.doneAt = ++this.#count;
  }

  #nextBatch(): Batch | undefined {
    return this.#batches.find(({ state }) => state === 'waiting');
  }

  #overlay(stored: TokenCache): TokenCache {
    const view = this.#batches.reduce((below, batch) => batch.appliedTo(below), stored.clone());
    for (const secret of this.#rejected) view.removeRefreshToken(secret);
    return view;
  }

  // A load that began before a save ended may bring what was stored before it: the change is laid over that one, too.
  #tidy(): void {
    if (this.#loads.size === 0) this.#latest = undefined;
    const shown = this.#loads.size === 0 ? Number.MAX_SAFE_INTEGER : (this.#latest?.begun ?? 0);
    this.#batches = this.#batches.filter(({ doneAt }) => doneAt > shown);
    if (this.#batches.length + this.#loads.size + this.#rejected.size === 0) this.#forget();
  }
}

function isFinal(error: unknown): boolean {
  if (RecordTooLargeError.is(error) || CapabilityError.is(error)) return true;
  // Of the TypeErrors only those about arguments: a store's `fetch` that fails is one, too.
  return error instanceof Error && !TokenryError.is(error) && 'code' in error && String(error.code).startsWith('TOKENRY_');
}
