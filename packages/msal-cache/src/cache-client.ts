import { createHash } from 'node:crypto';
import { strictOptions, type TokenBackend } from '@tokenry/core/backend';
import { TokenCache } from '@tokenry/core/tokens';
import { difference, eachEntity, homeOf, only } from './changes.js';
import type { CacheClient, SerializedCache } from './msal-types.js';
import { checkBackend, checkKey } from './options.js';
import { Turns } from './turns.js';
import { unsavedRecord } from './unsaved.js';

/** msal-node carries members that it does not know from what it read to what it writes: this one says what it read. */
const BASE_MEMBER = 'tokenry_read';
const MAX_BASES = 10_000;
const MAX_SEEN = 100_000;

export interface CacheClientOptions {
  /**
   * The partition of an account, as the partition manager's `extractKey` names it; `undefined`: whichever msal-node says.
   * msal-node says the partition of the first account that it remembers, which in a shared application may be anybody's.
   * @default the account's homeAccountId
   */
  readonly partitionKey?: (homeAccountId: string) => string | undefined;
}

/** A partition as `get` handed it out. */
interface Base {
  readonly key: string;
  readonly cache: SerializedCache;
}

/**
 * An `ICacheClient` for msal-node's `DistributedCachePlugin`: each account is merged into the partition that is its own,
 * and nothing of another account gets into it. Prefer `createCachePlugin` where you are free to choose.
 *
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`, `TOKENRY_UNKNOWN_OPTION`) for wrong arguments.
 * @example
 * ```ts
 * const cachePlugin = new DistributedCachePlugin(createCacheClient(backend), createPartitionManager({ getKey: () => session.homeAccountId }));
 * ```
 */
export function createCacheClient(backend: TokenBackend, options?: CacheClientOptions): CacheClient {
  checkBackend('createCacheClient', backend);
  const { partitionKey = (home: string) => home } = strictOptions('createCacheClient', options, ['partitionKey']);
  return new BackendCacheClient(backend, partitionKey);
}

class BackendCacheClient implements CacheClient {
  readonly #backend: TokenBackend;
  readonly #partitionKey: (homeAccountId: string) => string | undefined;
  readonly #turns = new Turns();
  readonly #bases = new Map<string, Base>();
  /** Fingerprints of entities that were in a partition already: what msal-node still remembers of them is no news. */
  readonly #seen = new Map<string, true>();
  #reads = 0;

  constructor(backend: TokenBackend, partitionKey: (homeAccountId: string) => string | undefined) {
    this.#backend = backend;
    this.#partitionKey = partitionKey;
  }

  /** A partition as text; an empty record where there is none, also for the empty key of somebody not signed in yet. */
  async get(key: string): Promise<string> {
    checkKey('The key of a partition', key);
    const loaded = key === '' ? undefined : await unsavedRecord(this.#backend, key).load({ fresh: true });
    const endTurn = await this.#turns.begin();
    const cache = JSON.parse((loaded?.view() ?? new TokenCache()).serialize()) as SerializedCache;
    loaded?.done();
    endTurn();
    const id = String(++this.#reads);
    remember(this.#bases, id, { key, cache }, MAX_BASES);
    for (const entity of eachEntity(cache)) remember(this.#seen, fingerprint(entity), true, MAX_SEEN);
    return JSON.stringify({ ...cache, [BASE_MEMBER]: id });
  }

  /** Merges what msal-node changed since the `get` that it started from. */
  async set(key: string, value: string): Promise<string> {
    checkKey('The key of a partition', key);
    const { [BASE_MEMBER]: id, ...rest } = JSON.parse(value) as Record<string, unknown>;
    const now = rest as SerializedCache;
    const base = this.#bases.get(String(id));
    const { homes, was, is } = difference(base?.cache ?? {}, now);
    const saves = [...homes].map(async (home) => {
      const ofHome = (entity: Parameters<typeof homeOf>[0]) => homeOf(entity) === home;
      const mine = only(is, ofHome);
      const partition = this.#partitionOf(home, [mine, was]) ?? key;
      if (partition === '') return;
      if (base?.key === partition) await this.#save(partition, home, only(was, ofHome), mine);
      else if (this.#isNews(mine)) await this.#save(partition, home, {}, mine);
    });
    await Promise.all(saves);
    return value;
  }

  #save(partition: string, home: string, was: SerializedCache, is: SerializedCache): Promise<void> {
    for (const entity of eachEntity(is)) remember(this.#seen, fingerprint(entity), true, MAX_SEEN);
    return unsavedRecord(this.#backend, partition).save({ homes: new Set([home]), base: decoded(was), mine: decoded(is) });
  }

  #partitionOf(home: string, caches: readonly SerializedCache[]): string | undefined {
    if (home === '') return undefined;
    const [entity] = caches.flatMap((cache) => [...eachEntity(only(cache, (one) => homeOf(one) === home))]);
    return this.#partitionKey(String(entity?.home_account_id ?? home));
  }

  #isNews(cache: SerializedCache): boolean {
    return [...eachEntity(cache)].some((entity) => !this.#seen.has(fingerprint(entity)));
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}

function fingerprint(entity: object): string {
  return createHash('sha256').update(JSON.stringify(entity)).digest('base64');
}

function decoded(cache: SerializedCache): TokenCache {
  return TokenCache.deserialize(JSON.stringify(cache));
}
