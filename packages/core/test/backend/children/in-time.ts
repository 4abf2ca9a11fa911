// A program with calls under long time limits, which end in every way. It must end by itself, long before those limits.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTime } from '@tokenry/core/backend';

const LONG = { timeoutMs: 3_600_000 };
const told = (error: unknown) => console.log((error as Error).message);
/** What the service says when nobody waits any more. */
const { promise: lateRefusal, reject: refuse } = Promise.withResolvers<never>();

console.log(await inTime(async () => 'answer', LONG));
await inTime(() => Promise.reject(new Error('refused')), LONG).catch(told);

const caller = new AbortController();
const left = inTime(() => lateRefusal, { ...LONG, signal: caller.signal });
caller.abort(new Error('left'));
await left.catch(told);

// Leaves from within the call, which then fails at once.
const hasty = new AbortController();
const thrown = (): Promise<never> => {
  hasty.abort(new Error('left too'));
  throw new Error('left too');
};
await inTime(thrown, { ...LONG, signal: hasty.signal }).catch(told);

// Nothing but the limit keeps this process alive until then.
await inTime(() => lateRefusal, { timeoutMs: 20 }).catch((error: unknown) => console.log((error as Error).name));

refuse(new Error('too late'));
await nextTurn();
console.log('end');
