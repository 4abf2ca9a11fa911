import { expect, it } from 'vitest';
import { untilAborted } from '../src/exports/backend.js';

it('waiting until aborted gives what the work gives', async () => {
  const { signal } = new AbortController();
  await expect(untilAborted(Promise.resolve('done'), signal)).resolves.toBe('done');
  await expect(untilAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
  await expect(untilAborted(Promise.resolve('done'), undefined)).resolves.toBe('done');
});

it('waiting until aborted ends with the reason, and hears nothing of work that fails later', async () => {
  const caller = new AbortController();
  const reason = new Error('enough');
  const { promise: work, reject: fail } = Promise.withResolvers<never>();
  const waiting = untilAborted(work, caller.signal);
  const staying = untilAborted(work, new AbortController().signal);
  caller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(untilAborted(work, caller.signal)).rejects.toBe(reason);
  // A rejection that nobody hears would fail this file.
  fail(new Error('too late'));
  await expect(staying).rejects.toThrow('too late');
  await new Promise(setImmediate);
});
