import { isOlder } from './access-token-match.js';
import { type HomeId, homeIdOf } from './accounts.js';
import type { Versions } from './merge-json.js';
import { EMPTY_STATE, RecordDraft, type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import { sameJson } from './same-json.js';
import type { AccessTokenEntity, Entity, SectionName } from './schema.js';
import { fingerprintOf, isMarkOf, markSignedIn, nextMark, signInMarks } from './sign-in-mark.js';

/** What became of a slice: its content when it was cut, and now. */
export interface Result {
  /** `undefined`: everything in it is new. */
  readonly before: RecordState | undefined;
  readonly after: RecordState;
}

/**
 * `stored` with a sign-in's entities in place of its own; `at` (epoch ms) marks the accounts as signed in. Applying the
 * same sign-in again changes nothing, not even after its refresh token was spent for a newer one.
 */
export function withSignIn(stored: RecordState, result: Result, at: number): RecordState {
  const fingerprint = fingerprintOf(newSecrets(result));
  const marks = signInMarks(stored);
  const homes = changedHomes(result);
  if (homes.size > 0 && [...homes].every((home) => isMarkOf(marks.get(home), fingerprint))) return stored;
  const draft = new RecordDraft(stored);
  applyChanges(draft, stored, result, 'sign-in');
  for (const home of homes) markSignedIn(draft, home, nextMark(marks.get(home), at, fingerprint));
  return draft.state;
}

/**
 * `stored` with a refresh's entities in it; or why not. A refresh token replaces the stored one only if that is the one
 * that was spent for it: anything else there came from a later sign-in or refresh, which must not be lost.
 */
export function withRefresh(
  stored: RecordState,
  result: Result,
  spent: string | undefined,
): RecordState | 'yielded' | 'account-gone' {
  for (const home of accountHomes(result)) if (!hasAccount(stored, home)) return 'account-gone';
  for (const [key, brought] of result.after.RefreshToken) {
    const was = result.before?.RefreshToken.get(key)?.secret;
    const there = stored.RefreshToken.get(key)?.secret;
    // A slice carries the family's tokens along; those that this refresh neither spent nor brought decide nothing.
    if (brought.secret === was && spent !== undefined && was !== spent) continue;
    if (there !== undefined && there !== brought.secret && there !== (spent ?? was)) return 'yielded';
  }
  const draft = new RecordDraft(stored);
  applyChanges(draft, stored, result, 'refresh');
  return draft.state;
}

function applyChanges(
  draft: RecordDraft,
  stored: RecordState,
  { before = EMPTY_STATE, after }: Result,
  kind: 'sign-in' | 'refresh',
): void {
  for (const name of SECTION_NAMES) {
    const [was, is, there] = [sectionOf(before, name), sectionOf(after, name), sectionOf(stored, name)];
    // The account may have been removed since: a sign-in brings it back even if nothing about it changed.
    const always = kind === 'sign-in' && name === 'Account';
    if (was === is && !always) continue;
    for (const [key, entity] of is) {
      const versions = { base: was.get(key), mine: entity, theirs: there.get(key) };
      if (sameJson(entity, versions.base) && !always) continue;
      if (name === 'AccessToken' && kind === 'refresh' && !replacesToken(versions)) continue;
      draft.set(name, key, united(name, entity, versions.theirs) as never);
    }
    for (const key of was.keys()) if (!is.has(key) && sameJson(there.get(key), was.get(key))) draft.delete(name, key);
  }
}

// Somebody else's newer token under the same key stays.
function replacesToken({ base, mine, theirs }: Versions<Entity>): boolean {
  return !theirs || sameJson(theirs, base) || !isOlder(mine as AccessTokenEntity, theirs as AccessTokenEntity);
}

// Accounts and refresh tokens keep the fields that others added to them meanwhile, and the mark of their sign-in.
function united(name: SectionName, entity: Entity, there: Entity | undefined): Entity {
  if (!there || name === 'AccessToken' || name === 'IdToken') return entity;
  const mark = there.tokenry_signed_in_at;
  return { ...there, ...entity, ...(mark === undefined ? {} : { tokenry_signed_in_at: mark }) };
}

function changedHomes({ before = EMPTY_STATE, after }: Result): Set<HomeId> {
  const homes = new Set<HomeId>();
  for (const name of SECTION_NAMES)
    for (const [key, entity] of sectionOf(after, name))
      if (name !== 'AppMetadata' && !sameJson(entity, sectionOf(before, name).get(key)))
        homes.add(homeIdOf(entity.home_account_id as string | null | undefined));
  return homes;
}

// On-behalf-of tokens name a user who never signed in here: no account to miss.
function accountHomes({ before, after }: Result): Set<HomeId> {
  const homes = new Set<HomeId>();
  for (const section of [after.Account, after.RefreshToken, before?.Account ?? EMPTY_STATE.Account])
    for (const { home_account_id } of section.values()) homes.add(homeIdOf(home_account_id));
  homes.delete('');
  return homes;
}

function hasAccount(state: RecordState, home: HomeId): boolean {
  for (const account of state.Account.values()) if (homeIdOf(account.home_account_id) === home) return true;
  return false;
}

function newSecrets({ before = EMPTY_STATE, after }: Result): string[] {
  const secrets: string[] = [];
  for (const name of ['RefreshToken', 'AccessToken', 'IdToken'] as const)
    for (const [key, { secret }] of after[name]) if (secret !== before[name].get(key)?.secret) secrets.push(secret);
  return secrets;
}
