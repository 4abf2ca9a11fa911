import type { TokenCache } from './token-cache.js';

/**
 * Three-way merge of a record: `base` is what `mine` was read as (`undefined`: never loaded), `theirs` what the store
 * holds now. The result's base is `theirs`, so `hasStateChanged` tells whether there is anything to write.
 */
export function mergeTokenCaches(_base: TokenCache | undefined, _mine: TokenCache, _theirs: TokenCache): TokenCache {
  throw new Error('not implemented');
}
