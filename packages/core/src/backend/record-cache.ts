import type { Clock } from '../clock.js';
import { outOfRange, strictOptions } from '../options.js';
import { RecentMap } from '../recent-map.js';
import type { DecodedRecord, Updated } from './record-source.js';
import { SettledVersions } from './settled-versions.js';

/** How decoded records are kept in memory. */
export interface RecordCacheOptions {
  /** @default 10_000 */
  readonly maxRecords?: number;
  /** Age from which a record is read again in the background. @default 30_000; Infinity where nobody shares the store */
  readonly revalidateAfterMs?: number;
  /** Age from which a call waits for a read. @default 300_000, or twice `revalidateAfterMs` where that is more */
  readonly maxStalenessMs?: number;
}

/** Where a record lies in memory. Whoever asks for it often remembers this, and need not look it up again. */
export interface CachedRecord {
  /** `undefined`: the cache has let go of it; look it up again. */
  record: DecodedRecord | undefined;
  /** What a reader worked out from the record last. */
  memo: object | undefined;
  /** The era of the cache in which it was used last. */
  era: number;
  /** Monotonic instant at which the read that confirmed it was sent. */
  readAt: number;
  /** Monotonic instant up to which it serves without a second thought. Whole: a fraction would lie elsewhere in memory. */
  nextCheckAt: number;
  /** Monotonic instant up to which it serves although it is too old: the store was asked, and is down. */
  excusedUntil: number;
}

/** One read or save under way; `outdated` once this process has saved or removed the record meanwhile. */
export interface Ticket {
  readonly tokenKey: string;
  readonly sentAt: number;
  /** What was in memory then. */
  readonly known: DecodedRecord | undefined;
  outdated: boolean;
}

const MAX_STALENESS_MS = 300_000;
const NAMES = ['maxRecords', 'revalidateAfterMs', 'maxStalenessMs'] as const;

/** Fills in defaults and checks ranges. */
export function recordCacheOptions(
  given: RecordCacheOptions | undefined,
  defaults: RecordCacheOptions,
): Required<RecordCacheOptions> {
  const chosen = { maxRecords: 10_000, revalidateAfterMs: 30_000, ...defaults, ...strictOptions('recordCache', given, NAMES) };
  const all = { maxStalenessMs: defaultStalenessMs(chosen.revalidateAfterMs), ...chosen };
  if (!Number.isInteger(all.maxRecords) || all.maxRecords < 1)
    throw outOfRange('recordCache.maxRecords must be an integer of at least 1.');
  for (const name of ['revalidateAfterMs', 'maxStalenessMs'] as const)
    if (typeof all[name] !== 'number' || !(all[name] >= 0))
      throw outOfRange(`recordCache.${name} must be a number of milliseconds, 0 or more.`);
  return all;
}

/** An era ends when so many of `maxRecords` have been added. */
const ERAS = 16;

// Were it no more than `revalidateAfterMs`, no read would ever be made in the background: every one would keep a call waiting.
function defaultStalenessMs(revalidateAfterMs: number): number {
  return revalidateAfterMs === Number.POSITIVE_INFINITY ? MAX_STALENESS_MS : Math.max(MAX_STALENESS_MS, 2 * revalidateAfterMs);
}

/** Decoded records in memory, one form of each. Absence is never kept. */
export class RecordCache {
  readonly #entries: RecentMap<string, CachedRecord>;
  readonly #versions = new SettledVersions();
  /** All reads and saves under way: seldom more than a few, so that a save can look through them. */
  readonly #underWay = new Set<Ticket>();
  readonly #options: Required<RecordCacheOptions>;
  readonly #clock: Clock;
  #era = 0;
  #addedInEra = 0;

  constructor(options: Required<RecordCacheOptions>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#entries = new RecentMap(options.maxRecords, (entry) => this.#letGo(entry));
  }

  get(tokenKey: string): CachedRecord | undefined {
    return this.#entries.get(tokenKey);
  }

  /**
   * Notes that a remembered entry is in use: once per era, because putting it in front of the list of all entries touches
   * more memory than the rest of a hit.
   */
  touch(tokenKey: string, entry: CachedRecord): void {
    if (entry.era === this.#era) return;
    entry.era = this.#era;
    this.#entries.get(tokenKey);
  }

  /** True: too old to be served without asking the store. */
  isStale(entry: CachedRecord, now: number): boolean {
    return now - entry.readAt >= this.#options.maxStalenessMs;
  }

  /** Forgets a record that was removed, or changed by somebody who did not say to what. */
  forget(tokenKey: string): void {
    this.#outdate(tokenKey);
    this.#entries.delete(tokenKey);
  }

  clear(): void {
    for (const ticket of this.#underWay) ticket.outdated = true;
    this.#entries.clear();
  }

  /** For a read or a save that is about to be sent; it ends with `endRead`, `endSave` or `cancel`. */
  begin(tokenKey: string): Ticket {
    const ticket: Ticket = {
      tokenKey,
      sentAt: this.#clock.monotonic(),
      known: this.#entries.get(tokenKey)?.record,
      outdated: false,
    };
    this.#underWay.add(ticket);
    return ticket;
  }

  /** Keeps what this process has just saved; reads that began before are outdated. */
  endSave(ticket: Ticket, { before, after }: Updated): void {
    const { tokenKey, known } = ticket;
    this.cancel(ticket);
    const there = this.#entries.get(tokenKey)?.record;
    // A save may be slow to answer. What was read meanwhile, and is neither what it replaced nor what it wrote, another
    // process wrote before or since: nobody here knows which, and the next use asks the store.
    const isKnown =
      there === undefined || there === known || there.version === before?.version || there.version === after?.version;
    this.#outdate(tokenKey);
    if (after && isKnown && !ticket.outdated) this.#put(tokenKey, after, ticket.sentAt);
    else this.#entries.delete(tokenKey);
  }

  /** Keeps what was read, unless it is outdated or a later read has ended before. */
  endRead(ticket: Ticket, record: DecodedRecord | undefined): void {
    this.cancel(ticket);
    if (ticket.outdated) return;
    const entry = this.#entries.get(ticket.tokenKey);
    if (entry && entry.readAt > ticket.sentAt) return;
    if (record) this.#put(ticket.tokenKey, record, ticket.sentAt);
    else this.#entries.delete(ticket.tokenKey);
  }

  cancel(ticket: Ticket): void {
    this.#underWay.delete(ticket);
  }

  /** Lets an old record serve for `ms` more, because asking the store has just failed. */
  excuse(entry: CachedRecord, ms: number): void {
    entry.excusedUntil = this.#clock.monotonic() + ms;
    entry.nextCheckAt = Math.floor(entry.excusedUntil);
  }

  #put(tokenKey: string, record: DecodedRecord, readAt: number): void {
    const nextCheckAt = Math.floor(readAt + Math.min(this.#options.revalidateAfterMs, this.#options.maxStalenessMs));
    const entry = this.#entries.get(tokenKey);
    if (!entry) {
      this.#add(tokenKey, { record, memo: undefined, era: this.#era, readAt, nextCheckAt, excusedUntil: 0 });
      return;
    }
    if (entry.record !== record) {
      Object.assign(entry, { record, memo: undefined, excusedUntil: 0 });
      this.#versions.settleSoon(entry);
    }
    entry.readAt = readAt;
    entry.nextCheckAt = nextCheckAt;
  }

  #add(tokenKey: string, entry: CachedRecord): void {
    this.#entries.set(tokenKey, entry);
    this.#versions.settleSoon(entry);
    this.#addedInEra += 1;
    if (this.#addedInEra * ERAS < this.#options.maxRecords) return;
    this.#addedInEra = 0;
    this.#era += 1;
  }

  #outdate(tokenKey: string): void {
    for (const ticket of this.#underWay) if (ticket.tokenKey === tokenKey) ticket.outdated = true;
  }

  // Whoever remembers the entry must not keep the record: memory would hold more of them than were allowed.
  #letGo(entry: CachedRecord): void {
    this.#versions.forget(entry);
    entry.record = undefined;
    entry.memo = undefined;
  }
}
