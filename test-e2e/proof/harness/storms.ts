import type { TaskArguments, TaskResult } from '../children/tasks.ts';
import type { ProofSettings } from './proof.ts';
import { HOUR_MS, type Stage } from './stage.ts';

/** Of one expiry: one of each process. */
export type StormAnswers = readonly TaskResult<'storm'>[];

interface StormOptions {
  /** How often all tokens expire. */
  readonly expiries: number;
  /** What each process asks for at once. */
  readonly asks: TaskArguments<'storm'>['asks'];
  /** Looks at the answers before the next expiry. */
  readonly after?: (answers: StormAnswers) => Promise<void>;
}

interface StormsMet {
  /** Token calls of each expiry. */
  readonly calls: readonly number[];
  /** Callers who got a token. */
  readonly served: number;
  readonly errors: readonly string[];
}

/** All tokens expire, and all processes ask at once; again and again. */
export async function storms(stage: Stage, settings: ProofSettings, { expiries, asks, after }: StormOptions): Promise<StormsMet> {
  const calls: number[] = [];
  const errors: string[] = [];
  let served = 0;
  for (let expiry = 1; expiry <= expiries; expiry++) {
    settings.progress(`expiry ${expiry} of ${expiries}`);
    await stage.advance(2 * HOUR_MS);
    const before = stage.refreshCalls().length;
    const answers = await stage.all((worker) => worker.call('storm', { asks }));
    calls.push(stage.refreshCalls().length - before);
    served += answers.reduce((sum, { got }) => sum + got, 0);
    errors.push(...answers.flatMap((answer) => answer.errors));
    await after?.(answers);
  }
  return { calls, served, errors };
}
