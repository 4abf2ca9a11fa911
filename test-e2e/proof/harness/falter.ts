import { setTimeout as wait } from 'node:timers/promises';
import type { Worker } from './worker.ts';

/** How long a process runs before it may be stopped again. */
const LONGEST_RUN_MS = 30;

/**
 * Stops the processes (SIGSTOP) at random moments, one or two at a time, and lets each go on: what a busy machine does to
 * them now and then, all the time. `end()` lets everybody run and resolves to the number of pauses.
 */
export function falter(workers: readonly Worker[], longestPauseMs: number): { end(): Promise<number> } {
  let ended = false;
  let pauses = 0;
  const lane = async () => {
    while (!ended) {
      const worker = workers[Math.floor(Math.random() * workers.length)];
      if (worker?.process?.kill('SIGSTOP')) pauses += 1;
      await wait(Math.random() * longestPauseMs);
      worker?.process?.kill('SIGCONT');
      await wait(Math.random() * LONGEST_RUN_MS);
    }
  };
  const lanes = Promise.all([lane(), lane()]);
  return {
    async end() {
      ended = true;
      await lanes;
      return pauses;
    },
  };
}
