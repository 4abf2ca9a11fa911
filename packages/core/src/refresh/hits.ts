import type { AccessTokenResult } from '../access-token.js';
import type { DecodedRecord } from '../backend/record-access.js';
import type { CachedRecord } from '../backend/record-cache.js';
import type { AccountInfo, StoredAccessToken } from '../tokens/schema.js';
import { drawFor, type RefreshWindows, scheduleOf, type TokenSchedule } from './policy.js';
import { matchFor, type Question, selectedAccount, type TokenPlace } from './question.js';
import type { ServerClock } from './server-clock.js';

/** A stored token as it is handed out, with its schedule. */
export interface Hit extends TokenSchedule {
  /** `softAt` in whole seconds, which lie in the object itself: among many records each place in memory is a wait. */
  readonly softSecond: number;
  readonly record: DecodedRecord;
  readonly question: Question;
  readonly result: AccessTokenResult;
  readonly secret: string;
  readonly account: AccountInfo | undefined;
}

export interface HitsOptions {
  readonly serverClock: ServerClock;
  readonly windows: RefreshWindows;
  readonly place: (tokenKey: string) => TokenPlace;
}

/** The tokens of decoded records, as they are handed out: worked out once for each record and question. */
export class Hits {
  readonly #options: HitsOptions;
  readonly #known = new WeakMap<DecodedRecord, Map<string, Hit>>();

  constructor(options: HitsOptions) {
    this.#options = options;
  }

  /** What was found before. The place of the record in memory remembers the last one. */
  known(record: DecodedRecord, question: Question, entry?: CachedRecord): Hit | undefined {
    // Among many records each object that a hit touches is a wait for memory: here the entry and the hit.
    const last = entry?.memo as Hit | undefined;
    if (last?.record === record && last.question === question) return last;
    const hit = this.#known.get(record)?.get(question.id);
    if (entry && hit?.question === question) entry.memo = hit;
    return hit;
  }

  /**
   * The newest token that answers the question, expired or not.
   * @throws AmbiguousAccountError when several accounts fit.
   */
  find(record: DecodedRecord, tokenKey: string, question: Question): Hit | undefined {
    const known = this.known(record, question);
    if (known) return known;
    const place = this.#options.place(tokenKey);
    const account = question.appOnly || question.assertion ? undefined : selectedAccount(question, record.cache, place.clientId);
    if (!account && !question.appOnly && question.assertion === undefined) return undefined;
    const stored = record.index.find(matchFor(question, place, account));
    if (!stored) return undefined;
    const hit = this.#toHit(stored, { record, question, account });
    const hits = this.#known.get(record) ?? new Map<string, Hit>();
    this.#known.set(record, hits.set(question.id, hit));
    return hit;
  }

  /** The token as callers get it: `expiresAt` by our own clock, because they compare it with that. */
  toResult(stored: StoredAccessToken, account: AccountInfo | undefined): AccessTokenResult {
    const { offsetMs } = this.#options.serverClock;
    return Object.freeze({
      token: stored.secret,
      expiresAt: stored.expiresAt - offsetMs,
      ...(stored.refreshAt === undefined ? {} : { refreshAt: stored.refreshAt - offsetMs }),
      scopes: stored.scopes,
      ...(account === undefined ? {} : { account }),
    });
  }

  #toHit(stored: StoredAccessToken, of: Pick<Hit, 'record' | 'question' | 'account'>): Hit {
    const schedule = scheduleOf(stored, this.#options.windows, drawFor(stored.secret));
    return {
      ...of,
      ...schedule,
      softSecond: Math.floor(schedule.softAt / 1_000),
      result: this.toResult(stored, of.account),
      secret: stored.secret,
    };
  }
}
