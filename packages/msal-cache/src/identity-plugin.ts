import type { TokenBackend } from '@tokenry/core/backend';
import { invalidArgument, strictOptions } from '@tokenry/core/backend';
import { createCachePlugin } from './cache-plugin.js';
import type { CachePlugin } from './msal-types.js';
import { type CachePluginOptions, checkBackend, checkKey } from './options.js';

export interface IdentityPluginOptions extends Pick<CachePluginOptions, 'freshReads'> {
  /**
   * The record for a cache name of `tokenCachePersistenceOptions`.
   * @default the name itself
   */
  readonly tokenKey?: (name: string) => string;
}

/** What `@azure/identity` offers to a plugin (its own type is internal). */
interface IdentityContext {
  readonly cachePluginControl?: {
    setPersistence?(factory: (options?: { readonly name?: string }) => Promise<CachePlugin>): void;
  };
}

const DEFAULT_NAME = 'msal.cache';

/**
 * Keeps the tokens of `@azure/identity` credentials in `backend`: pass it to `useIdentityPlugin`, and
 * `tokenCachePersistenceOptions: { enabled: true }` to credentials.
 *
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`, `TOKENRY_UNKNOWN_OPTION`) for wrong arguments, also when the returned
 * function is called with something that is not the context of `@azure/identity` 4.
 * @example
 * ```ts
 * useIdentityPlugin(identityPlugin(new FileSystemTokenBackend()));
 * const credential = new DeviceCodeCredential({ clientId: 'client-id', tokenCachePersistenceOptions: { enabled: true } });
 * ```
 */
export function identityPlugin(backend: TokenBackend, options?: IdentityPluginOptions): (context: unknown) => void {
  checkBackend('identityPlugin', backend);
  const { tokenKey = (name: string) => name, ...rest } = strictOptions('identityPlugin', options, ['tokenKey', 'freshReads']);
  if (typeof tokenKey !== 'function') throw invalidArgument('identityPlugin: tokenKey must be a function.');
  return (context) => {
    const control = (context as IdentityContext | undefined)?.cachePluginControl;
    if (typeof control?.setPersistence !== 'function')
      throw invalidArgument('identityPlugin: pass it to useIdentityPlugin of @azure/identity 4.');
    control.setPersistence(async ({ name = DEFAULT_NAME } = {}) =>
      createCachePlugin(backend, { ...rest, tokenKey: checkKey('identityPlugin: tokenKey', tokenKey(name)) }),
    );
  };
}
