import { readdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { FileSystemLeases } from '@tokenry/filesystem';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Child, scriptNamed } from './child.js';
import { eventually, scratchFolder } from './scratch.js';

/** `STOPPED_ROUNDS=200` for the long form. */
const ROUNDS = Number(process.env.STOPPED_ROUNDS ?? 12);
const TTL_MS = 60;
const mine = { owner: 'me', ttlMs: 60_000 };
/** The same clock in every process of a Linux machine. */
const monotonic = () => Number(process.hrtime.bigint()) / 1e6;

/** A process that does nothing but renew, stopped anywhere in the system calls that a renewal is. */
async function stoppedHolder(tokenPath: string, name: string): Promise<Child> {
  const child = await Child.started(scriptNamed('renew-forever'), [tokenPath, name, TTL_MS]);
  onTestFinished(() => child.kill());
  await wait(Math.random() * 5);
  child.process.kill('SIGSTOP');
  return child;
}

describe.skipIf(process.platform !== 'linux')('a process that is stopped while it renews its lease', () => {
  test(`never keeps others from taking it over, ${ROUNDS} rounds`, { timeout: ROUNDS * 12_000 }, async () => {
    const tokenPath = await scratchFolder();
    const leases = new FileSystemLeases({ tokenPath, writeLock: { waitMs: 1_000 } });
    for (let round = 0; round < ROUNDS; round++) {
      const name = `l${round}`;
      const child = await stoppedHolder(tokenPath, name);
      await eventually('the lease is taken over', async () => (await leases.tryAcquire(name, mine)).acquired || undefined);
      child.process.kill('SIGCONT');
      await child.hear();
      // What the late renewal did has not touched the new holder's lease.
      expect(await leases.renew(name, mine)).toBe(true);
      await leases.release(name, mine);
      await child.kill();
    }
    expect(await readdir(tokenPath)).toEqual([]);
  });

  test(`that wakes up while others take over never holds it as well, ${ROUNDS} rounds`, {
    timeout: ROUNDS * 12_000,
  }, async () => {
    const tokenPath = await scratchFolder();
    for (let round = 0; round < ROUNDS; round++) {
      const name = `l${round}`;
      const child = await stoppedHolder(tokenPath, name);
      const leases = new FileSystemLeases({ tokenPath });
      let taken = false;
      const blinking = (async () => {
        while (!taken) {
          await wait(TTL_MS * (0.9 + Math.random() * 0.2));
          child.process.kill('SIGCONT');
          await wait(Math.random() * 3);
          if (!taken) child.process.kill('SIGSTOP');
        }
      })();
      while (!(await leases.tryAcquire(name, mine)).acquired);
      const acquiredAt = monotonic();
      taken = true;
      await blinking;
      child.process.kill('SIGCONT');
      const { provenAt } = await child.hear<{ provenAt: number }>();
      expect(acquiredAt - provenAt).toBeGreaterThanOrEqual(TTL_MS);
      await leases.release(name, mine);
      await child.kill();
    }
  });
});
