import type { TokenCache } from '../tokens/token-cache.js';
import type { Change } from './pending-saves.js';

/**
 * Whether `change` brings something, and nothing that could not be obtained again without a person: no refresh token comes,
 * goes or is replaced, and no account. What does nothing to `cache` may do anything to the stored record: a refresh, for one,
 * yields to a refresh token that it does not know, and memory may still show one that was spent long ago.
 */
export function bringsOnlyAccessTokens(cache: TokenCache, change: Change): boolean {
  const changed = cache.clone();
  try {
    change(changed);
  } catch {
    return false; // whoever applies it next hears about it
  }
  const [before, after] = [cache.state, changed.state];
  if (before === after) return false;
  return sameSecrets(before.RefreshToken, after.RefreshToken) && sameKeys(before.Account, after.Account);
}

type Entities<T> = ReadonlyMap<string, T>;

function sameKeys(before: Entities<unknown>, after: Entities<unknown>): boolean {
  return before.size === after.size && [...before.keys()].every((key) => after.has(key));
}

function sameSecrets(before: Entities<{ readonly secret: string }>, after: Entities<{ readonly secret: string }>): boolean {
  return sameKeys(before, after) && [...before].every(([key, { secret }]) => after.get(key)?.secret === secret);
}
