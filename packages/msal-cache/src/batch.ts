import { mergeTokenCaches, type TokenCache } from '@tokenry/core/tokens';

/** What an access did: the accounts that it touched, as it saw them and as it left them. */
export interface Change {
  /** Accounts, as `homeOf` names them. */
  readonly homes: ReadonlySet<string>;
  readonly base: TokenCache;
  readonly mine: TokenCache;
}

/** Changes of different accounts, which one write saves: they cannot meet in a merge. */
export class Batch {
  readonly #homes: Set<string>;
  #base: TokenCache;
  #mine: TokenCache;
  #attempt = newAttempt();
  state: 'waiting' | 'saving' | 'failed' | 'done' = 'waiting';
  /** On the record's own count, once it is done; loads that began later bring it from the store. */
  doneAt = Number.POSITIVE_INFINITY;

  constructor({ homes, base, mine }: Change) {
    this.#homes = new Set(homes);
    this.#base = base;
    this.#mine = mine;
  }

  /** Settles with the next attempt to write this batch. */
  get attempt(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Takes `change` in, if it may still do so. */
  add({ homes, base, mine }: Change): boolean {
    if (this.state !== 'waiting' || [...homes].some((home) => this.#homes.has(home))) return false;
    for (const home of homes) this.#homes.add(home);
    this.#base = mergeTokenCaches(undefined, base, this.#base);
    this.#mine = mergeTokenCaches(undefined, mine, this.#mine);
    return true;
  }

  /** `record` with these changes in it. */
  appliedTo(record: TokenCache): TokenCache {
    return mergeTokenCaches(this.#base, this.#mine, record);
  }

  /**
   * Writes it with `save`, which is given a cache whose base is what the accesses saw: it writes the difference only.
   */
  async write(save: (cache: TokenCache) => Promise<void>): Promise<void> {
    this.state = 'saving';
    const attempt = this.#attempt;
    this.#attempt = newAttempt();
    const cache = this.appliedTo(this.#base);
    try {
      if (cache.hasStateChanged) await save(cache);
      attempt.resolve();
    } catch (error) {
      attempt.reject(error);
      throw error;
    }
  }
}

function newAttempt(): PromiseWithResolvers<void> {
  const attempt = Promise.withResolvers<void>();
  // Of a second attempt nobody needs to hear.
  attempt.promise.catch(() => {});
  return attempt;
}
