import { type AccountSelection, homeIdOf, selectHome } from './accounts.js';
import { legacyFields, legacyRefreshToken } from './legacy-token.js';
import { RecordDraft, type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import { sameEntries } from './same-json.js';
import { fingerprintOf, markSignedIn, nextMark, signInMarks } from './sign-in-mark.js';
import type { Issue } from './token-event.js';

/** Small changes of a whole record, and questions about it. */

/** Whether there is an account or a token; what is known about applications does not count. */
export function hasTokens(state: RecordState): boolean {
  return state.Account.size + state.AccessToken.size + state.RefreshToken.size + state.IdToken.size > 0;
}

/** Whether two records say the same, whoever decoded them. */
export function isSameState(a: RecordState, b: RecordState): boolean {
  if (a === b) return true;
  return SECTION_NAMES.every((name) => sameEntries(sectionOf(a, name), sectionOf(b, name))) && sameEntries(a.extra, b.extra);
}

/** The record without an account and all its tokens; the same object when that account is not here. */
export function withoutAccount(state: RecordState, selection: AccountSelection): RecordState {
  const home = selectHome(state, selection);
  if (home === undefined || home === '') return state;
  const draft = new RecordDraft(state);
  for (const name of SECTION_NAMES) {
    for (const [key, entity] of sectionOf(state, name))
      if (homeIdOf(entity.home_account_id as string | null | undefined) === home) draft.delete(name, key);
  }
  return draft.state;
}

/** The record without this refresh token; the same object when it is not here. */
export function withoutRefreshToken(state: RecordState, secret: string): RecordState {
  const draft = new RecordDraft(state);
  for (const [key, token] of state.RefreshToken) if (token.secret === secret) draft.delete('RefreshToken', key);
  if (legacyRefreshToken(state.extra)?.secret === secret) for (const field of legacyFields) draft.deleteExtra(field);
  return draft.state;
}

/** Stamps the account of a sign-in that was added to a whole record. */
export function withMarkedSignIn(state: RecordState, { identity, answer }: Issue, at: number): RecordState {
  const home = homeIdOf(identity.homeAccountId);
  const draft = new RecordDraft(state);
  const secrets = [answer.refreshToken, answer.accessToken, answer.idToken].filter((secret) => secret !== undefined);
  markSignedIn(draft, home, nextMark(signInMarks(state).get(home), at, fingerprintOf(secrets)));
  return draft.state;
}
