import { basename, dirname, join } from 'node:path';
import { newClaim } from './claim.js';
import { type ClaimSeen, createClaim, readClaim, removeClaim } from './claim-file.js';
import { nodeCrypto } from './node-crypto.js';

export interface TakeoverRules {
  /** Whether the claim under `path` may be taken from its owner now. */
  mayTake(path: string, seen: ClaimSeen): boolean;
  /** Takes care of a claim of our own that could not be removed. */
  forsake(path: string, text: string): void;
}

/** A guard whose owner died has a guard of its own; so many crashes in a row, each within microseconds, do not happen. */
const MAX_DEPTH = 8;

/**
 * Removes the stale claim `seen`, and never a newer one. Resolves when there is nothing left to do for now; the caller tries to
 * make its own claim again, or waits.
 *
 * Unlinking a stale claim directly is a race: two processes find the same dead owner, the first removes the claim and makes
 * its own, the second removes that one, and both go on. So the right to remove *this very claim* is claimed first, under a name
 * made of its content, which is written only once: the guard. Only its holder removes the claim, after making sure that
 * it is still there; the dead owner cannot, and a live one would not be here. Who comes later finds another claim under its
 * guard and leaves it alone. The guard of a process that died in turn is removed in the same way.
 */
export async function removeStaleClaim(path: string, seen: ClaimSeen, rules: TakeoverRules, depth = 0): Promise<void> {
  const guard = guardPathOf(path, seen);
  const claim = newClaim();
  if (!(await createClaim(guard, claim))) {
    const rival = await readClaim(guard);
    if (rival && depth < MAX_DEPTH && rules.mayTake(guard, rival)) await removeStaleClaim(guard, rival, rules, depth + 1);
    return;
  }
  try {
    if ((await readClaim(path))?.fingerprint === seen.fingerprint) await removeClaim(path);
  } finally {
    await removeClaim(guard).catch(() => rules.forsake(guard, claim));
  }
}

/** Where the right to remove this very claim is claimed. */
export function guardPathOf(path: string, seen: ClaimSeen): string {
  return join(
    dirname(path),
    `=take-${nodeCrypto()
      .hash('sha256', `${basename(path)} ${seen.fingerprint}`, 'hex')
      .slice(0, 32)}`,
  );
}
