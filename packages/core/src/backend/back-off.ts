/** A random wait in milliseconds between 0 and `baseMs` × 2^(attempt − 1), at most `capMs`: full jitter spreads rivals best. */
export function fullJitter(attempt: number, limits: { readonly baseMs: number; readonly capMs: number }): number {
  return Math.random() * Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(attempt - 1, 30));
}
