import type { StoredEntity } from './canonical-record.js';
import { tenantOfHomeId } from './entity-keys.js';
import { canonicalEnvironment } from './environments.js';
import { idTokenIssuedAt } from './id-token-claims.js';
import { RecordDraft, type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import type { AccessTokenEntity, AccountEntity, CredentialEntity, Entity, RefreshTokenEntity, SectionName } from './schema.js';
import { profilesOfDuplicates } from './tenant-profiles.js';
import { seconds } from './token-times.js';

/**
 * Brings entities of other writers into canonical form. MSAL Python and older msal-node use other keys and environment
 * names, so once two of them shared a file it holds the same refresh token in several generations; MSAL itself then
 * sends the oldest (msal-js issue 8835). Here the newest survives.
 */
export function collapseForeign(state: RecordState, foreign: readonly StoredEntity[]): RecordState {
  const draft = new RecordDraft(state);
  const writtenAt = refreshTokenTimes(state, foreign);
  for (const name of SECTION_NAMES) {
    for (const [key, candidates] of rivals(state, name, foreign)) {
      const best = candidates.reduce((a, b) => (newer(b, a, writtenAt) ? b : a));
      draft.set(name, key, canonical(best, candidates) as never);
    }
  }
  return draft.state;
}

/** Per canonical key everything that claims it; an entity that is canonical already comes first. */
function rivals(state: RecordState, name: SectionName, foreign: readonly StoredEntity[]): Map<string, StoredEntity[]> {
  const byKey = new Map<string, StoredEntity[]>();
  for (const stored of foreign) {
    if (stored.section !== name) continue;
    const native = sectionOf(state, name).get(stored.key);
    const first = native ? [{ ...stored, storedKey: stored.key, entity: native }] : [];
    const candidates = byKey.get(stored.key) ?? first;
    candidates.push(stored);
    byKey.set(stored.key, candidates);
  }
  return byKey;
}

/**
 * When each writer last stored a refresh token. msal-node puts no time on them, but it stores an access token in the
 * same breath, under the same environment name; and it keeps a time that somebody else put there, which alone would
 * mislead (MSAL Python is no such case: what it redeems from our entry it writes back to our entry, too).
 */
type WrittenAt = (token: RefreshTokenEntity) => number | undefined;

function refreshTokenTimes(state: RecordState, foreign: readonly StoredEntity[]): WrittenAt {
  const newest = new Map<string, number>();
  const note = (token: AccessTokenEntity) => {
    const at = seconds(token.cached_at);
    if (at !== undefined) newest.set(writer(token), Math.max(at, newest.get(writer(token)) ?? 0));
  };
  for (const token of state.AccessToken.values()) note(token);
  for (const { section, entity } of foreign) if (section === 'AccessToken') note(entity as AccessTokenEntity);
  return (token) => {
    const beside = newest.get(writer(token));
    const own = seconds(token.last_modification_time);
    if (beside !== undefined) return Math.max(beside, own ?? 0);
    return canonicalEnvironment(token.environment) === token.environment ? undefined : own;
  };
}

function writer({ home_account_id, client_id, environment }: CredentialEntity): string {
  return `${home_account_id ?? ''}|${client_id}|${environment}`.toLowerCase();
}

/** Whether `a` is to be preferred to `b`. */
function newer(a: StoredEntity, b: StoredEntity, writtenAt: WrittenAt): boolean {
  const [timeA, timeB] = [timeOf(a, writtenAt), timeOf(b, writtenAt)];
  if (timeA !== undefined && timeB !== undefined && timeA !== timeB) return timeA > timeB;
  // No times to compare: what stands under today's key was written by whoever wrote last (an upgrade leaves the old one).
  return rank(a) === rank(b) ? laterExpiry(a, b) : rank(a) > rank(b);
}

function timeOf({ section, entity }: StoredEntity, writtenAt: WrittenAt): number | undefined {
  if (section === 'RefreshToken') return writtenAt(entity as RefreshTokenEntity);
  if (section === 'AccessToken') return seconds((entity as AccessTokenEntity).cached_at);
  if (section === 'IdToken') return idTokenIssuedAt((entity as CredentialEntity).secret);
  return undefined;
}

// Of an account's entries in several tenants the home tenant's is the account itself; the others become profiles.
function rank({ section, storedKey, key, entity }: StoredEntity): number {
  const { environment, realm, home_account_id } = entity as AccountEntity;
  const atHome = section === 'Account' && realm?.toLowerCase() === tenantOfHomeId(home_account_id) ? 4 : 0;
  if (canonicalEnvironment(environment) !== environment) return atHome;
  return atHome + (storedKey === key ? 2 : 1);
}

function laterExpiry(a: StoredEntity, b: StoredEntity): boolean {
  return (seconds(a.entity.expires_on) ?? 0) >= (seconds(b.entity.expires_on) ?? 0);
}

// Accounts and refresh tokens take over what only the other entry knows: scopes for Python, names, foreign fields.
function canonical(best: StoredEntity, candidates: readonly StoredEntity[]): Entity {
  const environment = canonicalEnvironment(best.entity.environment);
  if (best.section !== 'Account' && best.section !== 'RefreshToken') return { ...best.entity, environment };
  const others = candidates.filter((candidate) => candidate !== best).map(({ entity }) => entity);
  const { last_modification_time: _stale, ...known } = Object.assign({}, ...others) as Record<string, unknown>;
  const united = others.length === 0 ? { ...best.entity, environment } : { ...known, ...best.entity, environment };
  if (best.section !== 'Account' || others.length === 0) return united;
  return { ...united, tenantProfiles: profilesOfDuplicates([best.entity, ...others] as unknown as AccountEntity[]) };
}
