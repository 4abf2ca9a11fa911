import assert from 'node:assert/strict';
import type { LeaseProvider } from '@tokenry/core/backend';
import { nextBeat } from './pause.js';

/** One party that wants leases. */
export interface Party {
  readonly leases: LeaseProvider;
  readonly owner: string;
  readonly ttlMs: number;
}

/** Asks once, and fails unless it got the lease. Resolves to the monotonic instant until which it surely holds it. */
export async function acquire(party: Party, name: string): Promise<number> {
  const askedAt = performance.now();
  const answer = await party.leases.tryAcquire(name, request(party));
  assert.ok(answer.acquired, `"${party.owner}" did not get the free lease "${name}"`);
  return askedAt + party.ttlMs;
}

/** Asks once, and fails unless it was refused. Resolves to whom the answer names as holder. */
export async function refused(party: Party, name: string): Promise<string> {
  const answer = await party.leases.tryAcquire(name, request(party));
  if (answer.acquired) assert.fail(`"${party.owner}" got the lease "${name}" that somebody else held`);
  return answer.holder;
}

/** Asks again and again until it got the lease; as `acquire` otherwise. Gives up after some 20 times the time to live. */
export async function acquireInTime(party: Party, name: string): Promise<number> {
  let holder = 'nobody';
  for (let attempt = 0; attempt < 160; attempt++) {
    const askedAt = performance.now();
    const answer = await party.leases.tryAcquire(name, request(party));
    if (answer.acquired) return askedAt + party.ttlMs;
    holder = answer.holder;
    await nextBeat(party.ttlMs / 8);
  }
  assert.fail(`"${party.owner}" never got the lease "${name}" that "${holder}" abandoned`);
}

export const renew = (party: Party, name: string): Promise<boolean> => party.leases.renew(name, request(party));
export const release = (party: Party, name: string): Promise<void> => party.leases.release(name, request(party));

const request = ({ owner, ttlMs }: Party) => ({ owner, ttlMs });
