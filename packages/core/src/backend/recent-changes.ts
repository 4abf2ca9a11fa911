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
 * The last changes that replaced a refresh token, for the case that a writer without compare-and-swap puts the spent
 * token back: its successor is still known here.
 */
export class RecentChanges {
  readonly #byKey = new RecentMap<string, readonly Remembered[]>(MAX_RECORDS);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers `change` if `after` lacks a refresh token that `before` had. */
  remember(
    tokenKey: string,
    change: Change,
    caches: { readonly before: TokenCache | undefined; readonly after: TokenCache | undefined },
  ): void {
    if (!caches.before) return;
    const kept = new Set(refreshTokens(caches.after));
    const spent = refreshTokens(caches.before).filter((secret) => !kept.has(secret));
    if (spent.length === 0) return;
    const known = this.#current(tokenKey);
    // Mending does not prolong the memory: a writer that insists gets its way in the end.
    if (known.some((one) => one.change === change)) return;
    const entry = { change, spent, until: this.#clock.monotonic() + REMEMBER_MS };
    this.#byKey.set(tokenKey, [...known.slice(1 - MAX_PER_RECORD), entry]);
  }

  /** The changes, oldest first, whose spent refresh token `cache` shows although they would replace it. */
  undoneIn(tokenKey: string, cache: TokenCache): readonly Change[] {
    const known = this.#current(tokenKey);
    if (known.length === 0) return [];
    return known.filter((one) => undone(one, cache)).map((one) => one.change);
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
function undone({ spent, change }: Remembered, cache: TokenCache): boolean {
  const shown = new Set(refreshTokens(cache));
  if (!spent.some((secret) => shown.has(secret))) return false;
  const mended = cache.clone();
  change(mended);
  const left = new Set(refreshTokens(mended));
  return spent.some((secret) => shown.has(secret) && !left.has(secret));
}

function refreshTokens(cache: TokenCache | undefined): string[] {
  return cache ? [...cache.state.RefreshToken.values()].map(({ secret }) => secret) : [];
}
