import type { RecordStore, TokenBackend } from '@tokenry/core/backend';

/** What is done to the arguments of every call on their way to a sound backend. */
export interface Alteration {
  readonly key?: (key: string) => string;
  /** Leaves the caller's signal out. */
  readonly deaf?: boolean;
}

/** A sound backend behind a face that alters what it is asked. */
export function altered(backend: TokenBackend, { key = (same) => same, deaf = false }: Alteration): TokenBackend {
  const heard = <T extends { readonly signal?: AbortSignal }>(options: T | undefined): T => {
    const { signal, ...others } = (options ?? {}) as T;
    return (deaf || !signal ? others : { ...others, signal }) as T;
  };
  const named = <T extends { readonly tokenKey?: string; readonly signal?: AbortSignal }>(options: T | undefined): T => {
    const given = heard(options);
    return given.tokenKey === undefined ? given : { ...given, tokenKey: key(given.tokenKey) };
  };
  const records: RecordStore = {
    read: (name, options) => backend.records.read(key(name), heard(options)),
    write: (name, data, options) => backend.records.write(key(name), data, heard(options)),
    remove: (name, options) => backend.records.remove(key(name), heard(options)),
    list: (options) => backend.records.list(heard(options)),
  };
  return {
    id: backend.id,
    defaultTokenKey: backend.defaultTokenKey,
    capabilities: backend.capabilities,
    records,
    leases: {
      tryAcquire: (name, request) => backend.leases.tryAcquire(name, heard(request)),
      renew: (name, request) => backend.leases.renew(name, heard(request)),
      release: (name, request) => backend.leases.release(name, heard(request)),
    },
    loadToken: (options) => backend.loadToken(named(options)),
    saveToken: (cache, options) => backend.saveToken(cache, named(options)),
    updateToken: (change, options) => backend.updateToken(change, named(options)),
    checkToken: (options) => backend.checkToken(named(options)),
    deleteToken: (options) => backend.deleteToken(named(options)),
    listKeys: (options) => backend.listKeys(heard(options)),
    shouldRefreshToken: (request) => backend.shouldRefreshToken(request),
    close: () => backend.close(),
  };
}
