import { basename, dirname, join } from 'node:path';
import { type ClaimSeen, readClaim, removeClaim, replaceClaim } from './claim-file.js';
import { nodeCrypto } from './node-crypto.js';
import { newTempPath } from './temp-file.js';

/**
 * A lease on disk: the claim says who holds it, and the beat beside it is written anew with every renewal. A beat belongs to one
 * claim, which is never written twice: a holder that stood still and renews late can write it without a lock, because
 * it touches nobody else's lease.
 */
export interface LeaseSeen {
  readonly claim: ClaimSeen;
  /** The latest text of the holder: its beat or, before the first renewal, its claim. */
  readonly text: string;
  /** Differs after every renewal. */
  readonly fingerprint: string;
}

/** Reads the lease; `undefined`: nobody holds it. */
export async function readLease(path: string): Promise<LeaseSeen | undefined> {
  const claim = await readClaim(path);
  if (!claim) return undefined;
  const beat = await readClaim(beatPathOf(path, claim));
  if (!beat) return { claim, text: claim.text, fingerprint: claim.fingerprint };
  return { claim, text: beat.text, fingerprint: `${claim.fingerprint}\n${beat.fingerprint}` };
}

/** Shows that the holder of this very claim lives. */
export async function writeBeat(path: string, claim: ClaimSeen, text: string): Promise<void> {
  await replaceClaim(beatPathOf(path, claim), text, newTempPath(dirname(path)));
}

/** Removes the beat of a claim that no longer holds. */
export async function removeBeat(path: string, claim: ClaimSeen): Promise<void> {
  await removeClaim(beatPathOf(path, claim));
}

function beatPathOf(path: string, claim: ClaimSeen): string {
  return join(
    dirname(path),
    `=beat-${nodeCrypto()
      .hash('sha256', `${basename(path)} ${claim.fingerprint}`, 'hex')
      .slice(0, 32)}`,
  );
}
