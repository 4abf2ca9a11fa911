import type { StoredAccessToken } from '../tokens/access-token-index.js';

/** When a token is refreshed, in milliseconds before its expiry. */
export interface RefreshWindows {
  /**
   * Tokens with less left are refreshed in the background while they are handed out.
   * @default 300000
   */
  readonly softWindowMs: number;
  /**
   * Tokens with less left are not handed out before a refresh was tried.
   * @default 60000
   */
  readonly hardWindowMs: number;
}

export const defaultWindows: RefreshWindows = Object.freeze({ softWindowMs: 300_000, hardWindowMs: 60_000 });

/** The instants at which one token leaves its windows; server time, epoch milliseconds. */
export interface TokenSchedule {
  /** From here on: refresh in the background. Jittered once per token. */
  readonly softAt: number;
  /** From here on: refresh first. */
  readonly hardAt: number;
  readonly expiresAt: number;
}

/**
 * Draws the schedule of one token. A short-lived token keeps at least half its life out of the soft window, or every
 * call would refresh. `random` in [0, 1) spreads the soft window by ±20 %, so that tokens issued together are not
 * refreshed together.
 */
export function scheduleOf(token: StoredAccessToken, windows: RefreshWindows, random: number): TokenSchedule {
  const life = Math.max(0, token.expiresAt - token.cachedAt);
  const soft = Math.min(windows.softWindowMs, life / 2) * (0.8 + 0.4 * random);
  const hard = Math.min(windows.hardWindowMs, life / 4, soft);
  const softAt = Math.min(token.expiresAt - soft, token.refreshAt ?? Number.POSITIVE_INFINITY);
  return { softAt, hardAt: token.expiresAt - hard, expiresAt: token.expiresAt };
}

/**
 * A number in [0, 1) that is the same whenever and wherever the same token is looked at: drawn anew at every look, the
 * earliest of many draws would count.
 */
export function drawFor(secret: string): number {
  // FNV-1a and one round of mixing: costs nothing beside decoding a record. Signatures differ at their end.
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, secret.length - 64); at < secret.length; at++)
    hash = Math.imul(hash ^ secret.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Whether another process's token is young enough to be used instead of a refresh. */
export function isAdoptable(token: StoredAccessToken, windows: RefreshWindows, serverNow: number): boolean {
  const life = Math.max(0, token.expiresAt - token.cachedAt);
  return token.expiresAt - serverNow > Math.min(windows.softWindowMs, life / 2);
}
