import type { CachedRecord } from './record-cache.js';

/** How long the version of a record in memory may stay unknown. The bytes that it is made of stay in memory until then. */
const PATIENCE_MS = 1_000;
/** Between slices of work, which take a millisecond or two: thousands of records may have been read at once. */
const PAUSE_MS = 10;
const SLICE = 100;

/**
 * Works out the versions of records that stay in memory, when nobody waits, so that their stored bytes can leave it. Never
 * keeps the process alive.
 */
export class SettledVersions {
  readonly #waiting = new Set<CachedRecord>();
  #isArmed = false;

  settleSoon(entry: CachedRecord): void {
    this.#waiting.add(entry);
    if (!this.#isArmed) this.#arm(PATIENCE_MS);
  }

  /** For an entry that was dropped. */
  forget(entry: CachedRecord): void {
    this.#waiting.delete(entry);
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    setTimeout(() => this.#settle(), ms).unref();
  }

  #settle(): void {
    this.#isArmed = false;
    let left = SLICE;
    for (const entry of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(entry);
      void entry.record?.version;
    }
    if (this.#waiting.size > 0) this.#arm(PAUSE_MS);
  }
}
