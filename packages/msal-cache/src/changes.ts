import { isDeepStrictEqual } from 'node:util';
import type { SerializedCache } from './msal-types.js';

const SECTIONS = ['Account', 'IdToken', 'AccessToken', 'RefreshToken', 'AppMetadata'] as const;

type Entity = Readonly<Record<string, unknown>>;

/** What an access did: everything of the accounts that it touched. */
export interface Difference {
  /** The accounts, as {@link homeOf} names them. */
  readonly homes: ReadonlySet<string>;
  readonly was: SerializedCache;
  readonly is: SerializedCache;
}

/** What an access did to `before`. */
export function difference(before: SerializedCache, now: SerializedCache): Difference {
  const changed = changedEntities(before, now);
  const homes = new Set([...changed, ...changedEntities(now, before)].map(homeOf));
  const isTouched = (entity: Entity) => homes.has(homeOf(entity));
  return { homes, was: only(before, isTouched), is: only(now, (entity) => isTouched(entity) && !isReplaced(entity, changed)) };
}

/** The same when somebody cleared or filled the memory meanwhile: what is missing was not removed by this access. */
export function unexplained(before: SerializedCache, now: SerializedCache): Difference {
  const changed = changedEntities(before, now);
  return { homes: new Set([...changed].map(homeOf)), was: {}, is: only(now, (entity) => changed.has(entity)) };
}

/** The entities that `isWanted`, in all sections; members that are no section are left out. */
export function only(cache: SerializedCache, isWanted: (entity: Entity) => boolean): SerializedCache {
  const kept = SECTIONS.map((name) => {
    const entries = Object.entries(cache[name] ?? {});
    return [name, Object.fromEntries(entries.filter(([, entity]) => isWanted(entity)))] as const;
  });
  return Object.fromEntries(kept);
}

/** All entities of all sections. */
export function* eachEntity(cache: SerializedCache): Iterable<Entity> {
  for (const name of SECTIONS) yield* Object.values(cache[name] ?? {});
}

/** Whose entity this is, for comparing; empty for those of the program itself. */
export function homeOf(entity: Entity): string {
  return String(entity.home_account_id ?? '').toLowerCase();
}

/** The entities of `b` that are not, or not so, in `a`. */
function changedEntities(a: SerializedCache, b: SerializedCache): Set<Entity> {
  const changed = new Set<Entity>();
  for (const name of SECTIONS)
    for (const [key, entity] of Object.entries(b[name] ?? {}))
      if (!isDeepStrictEqual(entity, a[name]?.[key])) changed.add(entity);
  return changed;
}

// msal-node 3 files its entities under keys of its own, beside those of version 7: the refresh token that was spent would
// stand beside the one that it brought.
function isReplaced(entity: Entity, changed: ReadonlySet<Entity>): boolean {
  if (changed.has(entity)) return false;
  const identity = identityOf(entity);
  return [...changed].some((one) => identityOf(one) === identity);
}

// Two entities of one identity are one entity in two generations. A family's refresh token belongs to all its clients.
function identityOf(entity: Entity): string {
  const { home_account_id, environment, credential_type, client_id, family_id, realm, target, token_type } = entity;
  const owner = credential_type === 'RefreshToken' ? [family_id || client_id] : [client_id, realm, target, token_type];
  const hash = [entity.userAssertionHash, entity.additionalCacheKeyComponents];
  return JSON.stringify([home_account_id, environment, credential_type, owner, hash]).toLowerCase();
}
