import { type TokenBackend, TokenryError } from '@tokenry/core/backend';
import { mergeTokenCaches, TokenCache } from '@tokenry/core/tokens';

const UNSAVED = Number.POSITIVE_INFINITY;

/** What an access made of the record that it saw. */
export interface Change {
  /** The record as msal-node saw it. */
  readonly base: TokenCache;
  readonly mine: TokenCache;
}

interface PendingChange extends Change {
  /** On the record's own count; loads that began later bring it from the store. */
  savedAt: number;
  failed: boolean;
}

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
  #changes: PendingChange[] = [];
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
      const stored = await this.#backend.loadToken({ tokenKey: this.#tokenKey, fresh });
      return { view: () => this.#overlay(stored ?? new TokenCache()), done };
    } catch (error) {
      done();
      throw error;
    }
  }

  /**
   * Saves a change. When the store cannot be reached this rejects, and the change stays: laid over every later view, and
   * saved before the next one.
   */
  async save({ base, mine }: Change): Promise<void> {
    const earlier = this.#changes.filter(({ failed }) => failed);
    const change = { base, mine, savedAt: UNSAVED, failed: false };
    this.#changes.push(change);
    // Its own caller was told; this one hears of the store's trouble from its own change.
    for (const one of earlier) await this.#write(one).catch(() => {});
    await this.#write(change);
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

  async #write(change: PendingChange): Promise<void> {
    change.failed = false;
    try {
      await this.#backend.saveToken(onBase(change), { tokenKey: this.#tokenKey });
      change.savedAt = ++this.#count;
    } catch (error) {
      change.failed = TokenryError.is(error) && error.retryable;
      if (!change.failed) change.savedAt = ++this.#count;
      throw error;
    } finally {
      this.#tidy();
    }
  }

  #overlay(stored: TokenCache): TokenCache {
    const view = this.#changes.reduce((below, { base, mine }) => mergeTokenCaches(base, mine, below), stored);
    for (const secret of this.#rejected) view.removeRefreshToken(secret);
    return view;
  }

  // A load that began before a save ended may bring what was stored before it: the change is laid over that one, too.
  #tidy(): void {
    const oldest = Math.min(UNSAVED, ...this.#loads);
    this.#changes = this.#changes.filter(({ savedAt }) => savedAt === UNSAVED || savedAt > oldest);
    if (this.#changes.length + this.#loads.size + this.#rejected.size === 0) this.#forget();
  }
}

// A cache whose base is what msal-node saw: saving it writes the difference and nothing else.
function onBase({ base, mine }: Change): TokenCache {
  return mergeTokenCaches(base, mine, base);
}
