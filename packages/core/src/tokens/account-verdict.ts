import type { HomeId } from './accounts.js';
import type { Side } from './merge-json.js';
import type { RecordState } from './record-state.js';
import { markedAt, signInMarks } from './sign-in-mark.js';

/** What a merge does with everything of one account. */
export interface Verdict {
  /** Removed on one side, and nobody signed in: nothing of it stays. */
  readonly gone?: boolean;
  /** Removed on one side, signed in on this one: only what that sign-in brought stays. */
  readonly only?: Side;
  /** Who signed in last, where somebody did. */
  readonly signedIn?: Side;
}

/** The three versions of a record that a merge compares. */
export interface ThreeStates {
  /** `undefined`: mine was never loaded; it adds and replaces, and removes nothing. */
  readonly base: RecordState | undefined;
  readonly mine: RecordState;
  readonly theirs: RecordState;
}

type Marks = ReadonlyMap<HomeId, string>;

/** Decides per account. Accounts that appear in none of the three as an entity get no verdict. */
export function verdicts({ base, mine, theirs }: ThreeStates): Map<HomeId, Verdict> {
  const [inBase, inMine, inTheirs] = [base && signInMarks(base), signInMarks(mine), signInMarks(theirs)];
  const homes = new Set([...(inBase?.keys() ?? []), ...inMine.keys(), ...inTheirs.keys()]);
  return new Map([...homes].map((home) => [home, inBase ? verdict(home, inBase, inMine, inTheirs) : neverLoaded(home, inMine)]));
}

function neverLoaded(home: HomeId, inMine: Marks): Verdict {
  return inMine.has(home) ? { signedIn: 'mine' } : {};
}

function verdict(home: HomeId, inBase: Marks, inMine: Marks, inTheirs: Marks): Verdict {
  const was = inBase.get(home);
  const [mine, theirs] = [inMine.get(home), inTheirs.get(home)];
  const [newInMine, newInTheirs] = [isSignIn(was, mine), isSignIn(was, theirs)];
  if (was !== undefined && mine === undefined) return newInTheirs ? { only: 'theirs', signedIn: 'theirs' } : { gone: true };
  if (was !== undefined && theirs === undefined) return newInMine ? { only: 'mine', signedIn: 'mine' } : { gone: true };
  if (newInMine && newInTheirs) return { signedIn: markedAt(mine) >= markedAt(theirs) ? 'mine' : 'theirs' };
  if (newInMine) return { signedIn: 'mine' };
  return newInTheirs ? { signedIn: 'theirs' } : {};
}

// Another mark than before, or none where there was one: the account was removed and signed in by another library.
function isSignIn(before: string | undefined, now: string | undefined): boolean {
  return now !== undefined && now !== before;
}
