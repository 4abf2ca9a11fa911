import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A key of this process: digests made with it say nothing to anybody outside. */
const PROCESS_KEY = randomBytes(32);

/** A digest of `parts`, useful within this process alone: equal inputs give equal digests, and nothing leads back. */
export function processDigest(parts: readonly unknown[]): Buffer {
  return createHmac('sha256', PROCESS_KEY).update(JSON.stringify(parts)).digest();
}

/** Compares two secrets without telling by the time taken how much of them agrees. */
export function sameSecret(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
