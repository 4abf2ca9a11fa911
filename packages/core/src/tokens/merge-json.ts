import { isObject, sameJson } from './same-json.js';

/** Which side wins where both changed the same thing. */
export type Side = 'mine' | 'theirs';

/** One thing in its three versions; `undefined` where it is not there. */
export interface Versions<T> {
  readonly base: T | undefined;
  readonly mine: T | undefined;
  readonly theirs: T | undefined;
}

/**
 * Three-way merge of one thing: whoever left it alone yields; of a change and a removal the change stays; of two changes
 * `resolve` decides.
 */
export function mergeVersions<T>({ base, mine, theirs }: Versions<T>, resolve: (mine: T, theirs: T) => T): T | undefined {
  if (mine === theirs || sameJson(mine, theirs)) return theirs;
  if (sameJson(mine, base)) return theirs;
  if (sameJson(theirs, base)) return mine;
  if (mine === undefined) return theirs;
  return theirs === undefined ? mine : resolve(mine, theirs);
}

/** Three-way merge of a JSON value, member by member; where both changed one, `winner`'s stays. */
export function mergeJson(versions: Versions<unknown>, winner: Side): unknown {
  return mergeVersions(versions, (mine, theirs) => {
    if (!isPlain(mine) || !isPlain(theirs)) return winner === 'mine' ? mine : theirs;
    return mergeMembers({ base: isPlain(versions.base) ? versions.base : {}, mine, theirs }, winner);
  });
}

/** {@link mergeJson} for two objects that are both there. */
export function mergeMembers<T extends object>(
  { base, mine, theirs }: { readonly base: object | undefined; readonly mine: T; readonly theirs: T },
  winner: Side,
): T {
  const members: [string, unknown][] = [];
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const versions = { base: member(base, name), mine: member(mine, name), theirs: member(theirs, name) };
    const merged = mergeJson(versions, winner);
    if (merged !== undefined) members.push([name, merged]);
  }
  return Object.freeze(Object.fromEntries(members)) as T;
}

function member(value: object | undefined, name: string): unknown {
  return value !== undefined && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !Array.isArray(value);
}
