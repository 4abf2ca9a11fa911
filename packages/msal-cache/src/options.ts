import { BaseTokenBackend, invalidArgument, strictOptions, type TokenBackend } from '@tokenry/core/backend';

/** Which record a call uses: a name, or who the current call is for. */
export type TokenKeySource = string | (() => string | Promise<string>);

export interface CachePluginOptions {
  /**
   * The record: a name, or a function that msal-node's calls ask, for applications that serve many users (return the key of
   * the current request's user).
   * @default the backend's default key
   */
  readonly tokenKey?: TokenKeySource;
  /**
   * Ask the store before every call, as other processes may have refreshed or signed out. With `false` a call that only
   * reads may use a record that the backend remembers (`recordCache.revalidateAfterMs`, `maxStalenessMs`).
   * @default true for backends that several processes share
   */
  readonly freshReads?: boolean;
}

/** @throws TypeError for anything that is not a backend. */
export function checkBackend(owner: string, backend: unknown): TokenBackend {
  const methods = ['loadToken', 'saveToken', 'updateToken'] as const;
  const candidate = backend as Partial<TokenBackend> | null | undefined;
  if (BaseTokenBackend.is(candidate) || methods.every((name) => typeof candidate?.[name] === 'function'))
    return candidate as TokenBackend;
  throw invalidArgument(`${owner}: the first argument must be a token backend, such as new FileSystemTokenBackend().`);
}

/** @throws TypeError for unknown options and for values of the wrong type. */
export function checkPluginOptions(backend: TokenBackend, options: CachePluginOptions | undefined) {
  const checked = strictOptions('createCachePlugin', options, ['tokenKey', 'freshReads']);
  const { tokenKey = backend.defaultTokenKey, freshReads = backend.capabilities.shared } = checked;
  if (typeof tokenKey !== 'string' && typeof tokenKey !== 'function')
    throw invalidArgument('createCachePlugin: tokenKey must be a string or a function that returns one.');
  if (typeof freshReads !== 'boolean') throw invalidArgument('createCachePlugin: freshReads must be true or false.');
  return { tokenKey, freshReads };
}

/** The key for the call that asks. */
export async function currentKey(tokenKey: TokenKeySource): Promise<string> {
  return typeof tokenKey === 'string' ? tokenKey : checkKey('createCachePlugin: tokenKey', await tokenKey());
}

/** @throws TypeError for anything but text: to a backend no key means its default record, where strangers would meet. */
export function checkKey(what: string, key: unknown): string {
  if (typeof key === 'string') return key;
  throw invalidArgument(`${what} must name a record; it gave ${key === null ? 'null' : typeof key}.`);
}
