import type { TokenBackend } from '@tokenry/core/backend';
import { TokenCache } from '@tokenry/core/tokens';
import { type Application, applicationOf } from './application.js';
import type { Change } from './batch.js';
import { difference, unexplained } from './changes.js';
import { type Filled, fill, read } from './msal-memory.js';
import type { CacheContext, CachePlugin, SerializedCache } from './msal-types.js';
import { type CachePluginOptions, checkBackend, checkPluginOptions, currentKey } from './options.js';
import { unsavedRecord } from './unsaved.js';

/** An access between `beforeCacheAccess` and `afterCacheAccess`. */
interface Access {
  readonly application: Application;
  readonly tokenKey: string;
  readonly filled: Filled;
  readonly end: () => void;
}

/**
 * A cache plugin for msal-node (3.8 to 7) that keeps the tokens of any number of processes in one record of `backend` and
 * loses none: it replaces the application's memory instead of laying over it, merges by entity on save, and never writes
 * what it could not read.
 *
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`, `TOKENRY_UNKNOWN_OPTION`) for wrong arguments.
 * @example
 * ```ts
 * const cachePlugin = createCachePlugin(new FileSystemTokenBackend({ tokenPath: 'tokens' }));
 * const app = new PublicClientApplication({ auth: { clientId: 'client-id' }, cache: { cachePlugin } });
 * ```
 */
export function createCachePlugin(backend: TokenBackend, options?: CachePluginOptions): CachePlugin {
  return new BackendCachePlugin(checkBackend('createCachePlugin', backend), checkPluginOptions(backend, options));
}

class BackendCachePlugin implements CachePlugin {
  readonly #backend: TokenBackend;
  readonly #options: Required<CachePluginOptions>;
  readonly #accesses = new WeakMap<CacheContext, Access>();

  constructor(backend: TokenBackend, options: Required<CachePluginOptions>) {
    this.#backend = backend;
    this.#options = options;
  }

  async beforeCacheAccess(context: CacheContext): Promise<void> {
    const tokenKey = await currentKey(this.#options.tokenKey);
    const fresh = context.cacheHasChanged || this.#options.freshReads;
    const loaded = await unsavedRecord(this.#backend, tokenKey).load({ fresh });
    const application = applicationOf(context.tokenCache);
    const endTurn = await application.turns.begin();
    // Nothing is awaited from here until msal-node has read or changed its memory.
    try {
      const filled = fill(context.tokenCache, loaded.view().serialize());
      application.rejected.beginAccess(context.tokenCache, (secret) => unsavedRecord(this.#backend, tokenKey).reject(secret));
      this.#accesses.set(context, { application, tokenKey, filled, end: endTurn });
    } catch (error) {
      endTurn();
      throw error;
    } finally {
      loaded.done();
    }
  }

  async afterCacheAccess(context: CacheContext): Promise<void> {
    const access = this.#accesses.get(context);
    // Reading failed: what the application remembers is not the record, and must not become it.
    if (!access) return;
    this.#accesses.delete(context);
    const changed = endAccess(context, access);
    if (changed) await unsavedRecord(this.#backend, access.tokenKey).save(changed);
  }
}

/** Synchronous, because the next access may begin as soon as something is awaited. */
function endAccess(context: CacheContext, access: Access): Change | undefined {
  try {
    return context.cacheHasChanged ? changedBy(context, access) : undefined;
  } finally {
    access.application.rejected.endAccess();
    access.end();
  }
}

/** What msal-node did to its memory. */
function changedBy({ tokenCache }: CacheContext, { filled }: Access): Change | undefined {
  const { now, before, intact } = read(tokenCache, filled);
  const { homes, was, is } = intact ? difference(before, now) : unexplained(before, now);
  return homes.size === 0 ? undefined : { homes, base: decoded(was), mine: decoded(is) };
}

function decoded(cache: SerializedCache): TokenCache {
  return TokenCache.deserialize(JSON.stringify(cache));
}
