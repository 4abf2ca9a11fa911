import { type HomeId, homeIdOf } from './accounts.js';
import type { RecordDraft, RecordState } from './record-state.js';
import { seconds } from './token-times.js';

/**
 * An account carries a mark of its last sign-in, `<epoch ms>.<fingerprint>`: what tells a merge that a new refresh token
 * came from a person and not from a refresh. Refreshes, msal-node and MSAL Python leave it as it is.
 */

/** The marks by account; empty for accounts that only other libraries signed in. */
export function signInMarks(state: RecordState): Map<HomeId, string> {
  const marks = new Map<HomeId, string>();
  for (const account of state.Account.values()) {
    const home = homeIdOf(account.home_account_id);
    const [mark, known] = [account.tokenry_signed_in_at ?? '', marks.get(home)];
    if (known === undefined || markedAt(mark) > markedAt(known)) marks.set(home, mark);
  }
  return marks;
}

/** When the sign-in was, for comparing two of them. */
export function markedAt(mark: string | undefined): number {
  return seconds(mark) ?? 0;
}

/** A mark for a sign-in at `at` that counts as later than the one before it, whatever the clocks say. */
export function nextMark(previous: string | undefined, at: number, fingerprint: string): string {
  const earliest = previous ? Math.floor(markedAt(previous)) + 1 : 0;
  return `${Math.max(Math.floor(at), earliest)}.${fingerprint}`;
}

/** Whether a mark was made by the sign-in with this fingerprint. */
export function isMarkOf(mark: string | undefined, fingerprint: string): boolean {
  return mark?.endsWith(`.${fingerprint}`) ?? false;
}

/** Tells one sign-in from another: FNV-1a of its tokens, beside which it is stored. */
export function fingerprintOf(secrets: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const character of secrets.join(' ')) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return String(hash).padStart(10, '0');
}

/** Puts a mark on an account. */
export function markSignedIn(draft: RecordDraft, home: HomeId, mark: string): void {
  for (const [key, account] of draft.state.Account)
    if (homeIdOf(account.home_account_id) === home) draft.set('Account', key, { ...account, tokenry_signed_in_at: mark });
}
