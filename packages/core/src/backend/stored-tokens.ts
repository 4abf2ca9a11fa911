import { type Clock, sleep } from '../clock.js';
import { DecryptError, RecordCorruptError, VersionConflictError } from '../errors.js';
import { emit } from '../observability/events.js';
import { AccessTokenIndex } from '../tokens/access-token-index.js';
import { TokenCache } from '../tokens/token-cache.js';
import { fullJitter } from './back-off.js';
import type { KeyedRecords } from './keyed-records.js';
import { LateVersion } from './late-version.js';
import type { DecodedRecord, RecordSource, Update, Updated, UpdateOptions } from './record-source.js';
import type { Expectation } from './token-backend.js';

/** How long writers that keep meeting each other go on trying. */
const MAX_CONFLICT_MS = 30_000;
const CONFLICT_WAIT = { baseMs: 5, capMs: 500 };

/** What an update starts from. */
interface Base {
  readonly record: DecodedRecord | undefined;
  readonly expect: Expectation;
  /** True: taken from memory, not read just now. */
  readonly remembered?: boolean;
}

/** Token caches in a record store, written by compare-and-swap. */
export class StoredTokens implements RecordSource {
  readonly #records: Pick<KeyedRecords, 'read' | 'write' | 'setAside'>;
  readonly #clock: Clock;

  constructor(options: { readonly records: Pick<KeyedRecords, 'read' | 'write' | 'setAside'>; readonly clock: Clock }) {
    this.#records = options.records;
    this.#clock = options.clock;
  }

  async read(tokenKey: string, { signal, known }: Pick<UpdateOptions, 'signal' | 'known'>): Promise<DecodedRecord | undefined> {
    const found = await this.#records.read(tokenKey, {
      ...(signal ? { signal } : {}),
      ...(known ? { ifNotVersion: known.version } : {}),
    });
    if (found === 'not-modified') return known;
    return found && decode(found.data, () => found.version);
  }

  async update(tokenKey: string, update: Update, options: UpdateOptions): Promise<Updated> {
    const startedAt = this.#clock.monotonic();
    const durationMs = () => this.#clock.monotonic() - startedAt;
    // The record in memory is as good a start as any: if it is no longer the stored one, the write is refused.
    let base: Base = options.known ? rememberedBase(options.known) : await this.#read(tokenKey, options);
    for (let attempt = 1; ; attempt++) {
      const changed = apply(update, base.record, this.#clock.now());
      if (changed === undefined && base.remembered) {
        base = await this.#read(tokenKey, options);
        continue;
      }
      if (changed === undefined) {
        emit('save', () => ({ tokenKey, outcome: 'unchanged', attempts: attempt, durationMs: durationMs() }));
        return { before: base.record, after: base.record };
      }
      try {
        const version = await this.#write(tokenKey, Buffer.from(changed.text), base.expect, options);
        emit('save', () => ({ tokenKey, outcome: 'saved', attempts: attempt, durationMs: durationMs() }));
        return { before: base.record, after: new Decoded(changed.cache, version) };
      } catch (error) {
        if (!VersionConflictError.is(error)) throw error;
        emit('conflict', () => ({ tokenKey, attempt }));
        if (durationMs() >= MAX_CONFLICT_MS) throw error;
      }
      // A memory that was out of date is no rivalry: read at once.
      if (!base.remembered) await sleep(this.#clock, fullJitter(attempt, CONFLICT_WAIT), { signal: options.signal, hold: true });
      base = await this.#read(tokenKey, options);
    }
  }

  async #read(tokenKey: string, options: UpdateOptions): Promise<Base> {
    try {
      const record = await this.read(tokenKey, options);
      return { record, expect: record ? { version: record.version } : 'absent' };
    } catch (error) {
      if (!options.overwriteCorrupt || !(RecordCorruptError.is(error) || DecryptError.is(error))) throw error;
      const version = await this.#records.setAside(tokenKey, options.signal ? { signal: options.signal } : {});
      return { record: undefined, expect: version === undefined ? 'absent' : { version } };
    }
  }

  #write(tokenKey: string, data: Uint8Array, expect: Expectation, { signal }: UpdateOptions): Promise<string> {
    return this.#records.write(tokenKey, data, signal ? { expect, signal } : { expect });
  }
}

function rememberedBase(record: DecodedRecord): Base {
  return { record, expect: { version: record.version }, remembered: true };
}

/** What to store, or `undefined` when `update` changed nothing. Access tokens that have ended are left out. */
function apply(update: Update, record: DecodedRecord | undefined, now: number): ReturnType<TokenCache['written']> | undefined {
  const mine = record ? record.cache.clone() : new TokenCache();
  const result = update(mine) ?? mine;
  return result.hasStateChanged ? result.written(now) : undefined;
}

/**
 * Decodes stored bytes.
 * @throws RecordCorruptError when they are no token cache.
 */
export function decode(data: Uint8Array, version: () => string): DecodedRecord {
  return new Decoded(TokenCache.deserialize(data), version);
}

class Decoded extends LateVersion implements DecodedRecord {
  readonly cache: TokenCache;
  readonly index: AccessTokenIndex;

  constructor(cache: TokenCache, version: string | (() => string)) {
    super(version);
    this.cache = cache;
    this.index = new AccessTokenIndex(cache);
  }
}
