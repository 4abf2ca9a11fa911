import { isDeepStrictEqual } from 'node:util';
import type { SerializedCache, SerializedSection } from './msal-types.js';

const SECTIONS = ['Account', 'IdToken', 'AccessToken', 'RefreshToken', 'AppMetadata'] as const;

/**
 * `now` without the entities that an entity of this access replaces. msal-node 3 files its entities under keys of its own
 * beside those of version 7; left alone, the spent refresh token would stand beside the new one.
 */
export function withoutReplaced(now: SerializedCache, before: SerializedCache): SerializedCache {
  return mapSections(now, (section, name) => {
    const replaced = new Map<string, string>();
    for (const [key, entity] of Object.entries(section))
      if (!isDeepStrictEqual(entity, before[name]?.[key])) replaced.set(identityOf(entity), key);
    return ([key, entity]) => (replaced.get(identityOf(entity)) ?? key) === key;
  });
}

/** The entities of `now` that are not in `before`. */
export function additions(now: SerializedCache, before: SerializedCache): SerializedCache {
  return mapSections(
    now,
    (_section, name) =>
      ([key, entity]) =>
        !isDeepStrictEqual(entity, before[name]?.[key]),
  );
}

/** The entities of one account, or with `null` those that belong to no account. */
export function entitiesOf(cache: SerializedCache, isWanted: (homeAccountId: string) => boolean): SerializedCache {
  return mapSections(
    cache,
    () =>
      ([, entity]) =>
        isWanted(String(entity.home_account_id ?? '').toLowerCase()),
  );
}

type Keep = (entry: readonly [string, Readonly<Record<string, unknown>>]) => boolean;

function mapSections(cache: SerializedCache, keeps: (section: SerializedSection, name: string) => Keep): SerializedCache {
  const mapped: Record<string, SerializedSection | undefined> = { ...cache };
  for (const name of SECTIONS) {
    const section = cache[name] ?? {};
    mapped[name] = Object.fromEntries(Object.entries(section).filter(keeps(section, name)));
  }
  return mapped;
}

// Two entities of one identity are one entity in two generations. A family's refresh token belongs to all its clients.
function identityOf(entity: Readonly<Record<string, unknown>>): string {
  const { home_account_id, environment, credential_type, client_id, family_id, realm, target, token_type } = entity;
  const owner = credential_type === 'RefreshToken' ? [family_id || client_id] : [client_id, realm, target, token_type];
  const hash = [entity.userAssertionHash, entity.additionalCacheKeyComponents];
  return JSON.stringify([home_account_id, environment, credential_type, owner, hash]).toLowerCase();
}
