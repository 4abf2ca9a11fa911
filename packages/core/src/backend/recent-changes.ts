import type { Clock } from '../clock.js';
import { RecentMap } from '../recent-map.js';
import type { TokenCache } from '../tokens/token-cache.js';
import type { Change } from './pending-saves.js';

/** How long a saved change is remembered. */
const REMEMBER_MS = 600_000;
const MAX_RECORDS = 1_000;
const MAX_PER_RECORD = 16;

interface Remembered {
  readonly change: Change;
  /** Refresh tokens that this change took out of the record. */
  readonly spent: readonly string[];
  readonly until: number;
}

/**
 * The last changes that replaced a refresh token, for the case that a writer without compare-and-swap, or a fail-over to a
 * replica that lagged behind, puts the spent token back: its successor is still known here.
 */
export class RecentChanges {
  readonly #byKey = new RecentMap<string, readonly Remembered[]>(MAX_RECORDS);
  readonly #spent = new WeakMap<Change, readonly string[]>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Applies `change`, and notes which refresh tokens it takes out of `cache`. */
  apply(change: Change, cache: TokenCache): void {
    const before = refreshTokens(cache);
    change(cache);
    const kept = new Set(refreshTokens(cache));
    const spent = before.filter((secret) => !kept.has(secret));
    // What finds its own result in the store, because an answer was lost, takes nothing out any more.
    if (spent.length > 0) this.#spent.set(change, spent);
  }

  /** Remembers a change that was saved, if it ever took a refresh token out of the record. */
  remember(tokenKey: string, change: Change): void {
    const spent = this.#spent.get(change);
    if (!spent) return;
    const known = this.#current(tokenKey);
    // Mending does not prolong the memory: a writer that insists gets its way in the end.
    if (known.some((one) => one.change === change)) return;
    const entry = { change, spent, until: this.#clock.monotonic() + REMEMBER_MS };
    this.#byKey.set(tokenKey, [...known.slice(1 - MAX_PER_RECORD), entry]);
  }

  /**
   * The changes, oldest first, whose spent refresh token `cache` shows, or would show once those before are made again:
   * what the store lost may be several generations.
   */
  undoneIn(tokenKey: string, cache: TokenCache): readonly Change[] {
    const undone: Change[] = [];
    let shown = cache;
    for (const one of this.#current(tokenKey)) {
      const mended = mendedBy(one, shown);
      if (!mended) continue;
      undone.push(one.change);
      shown = mended;
    }
    return undone;
  }

  /** The records with a change that is still remembered. */
  tokenKeys(): readonly string[] {
    return this.#byKey.keys().filter((tokenKey) => this.#current(tokenKey).length > 0);
  }

  forget(tokenKey: string): void {
    this.#byKey.delete(tokenKey);
  }

  #current(tokenKey: string): readonly Remembered[] {
    const now = this.#clock.monotonic();
    return (this.#byKey.get(tokenKey) ?? []).filter((one) => one.until > now);
  }
}

// A spent token that the change would leave where it is has nothing to mend: made pending, it would be so for ever.
function mendedBy({ spent, change }: Remembered, cache: TokenCache): TokenCache | undefined {
  const shown = new Set(refreshTokens(cache));
  if (!spent.some((secret) => shown.has(secret))) return undefined;
  const mended = cache.clone();
  change(mended);
  const left = new Set(refreshTokens(mended));
  return spent.some((secret) => shown.has(secret) && !left.has(secret)) ? mended : undefined;
}

function refreshTokens(cache: TokenCache): string[] {
  return [...cache.state.RefreshToken.values()].map(({ secret }) => secret);
}
