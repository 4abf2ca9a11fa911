import { spawnSync } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inTime, NoAnswerError } from '../../src/exports/backend.js';

const LONG = { timeoutMs: 600_000 };
const never = () => new Promise<never>(() => undefined);
/** The whole process does nothing at all meanwhile. */
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe('a call with a time limit', () => {
  it('gives what the call gives', async () => {
    await expect(inTime(async () => 'answer', LONG)).resolves.toBe('answer');
    await expect(inTime(() => Promise.reject(new Error('refused')), LONG)).rejects.toThrow('refused');
  });

  it('rejects with what the call throws before it promises anything', async () => {
    const thrower = (): Promise<never> => {
      throw new Error('unsuitable');
    };
    await expect(inTime(thrower, LONG)).rejects.toThrow('unsuitable');
  });

  it('is left with NoAnswerError when nothing comes, and tells the call', async () => {
    const told: AbortSignal[] = [];
    const silent = (signal: AbortSignal) => {
      told.push(signal);
      return never();
    };
    const error = await inTime(silent, { timeoutMs: 30.4 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ name: 'NoAnswerError', message: 'No answer within 30 ms.' });
    expect(told[0]?.reason).toBe(error);
  });

  it('is not begun by a caller who has left already', async () => {
    const begun: string[] = [];
    const call = async () => void begun.push('call');
    await expect(inTime(call, { ...LONG, signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    expect(begun).toEqual([]);
  });

  it('is left at once by a caller who leaves, and tells the call', async () => {
    const caller = new AbortController();
    const reason = new Error('enough');
    const told = Promise.withResolvers<unknown>();
    const silent = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => told.resolve(signal.reason));
      return never();
    };
    const waiting = inTime(silent, { ...LONG, signal: caller.signal });
    caller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(told.promise).resolves.toBe(reason);
  });

  it('leaves the signal of a call that has ended alone', async () => {
    const caller = new AbortController();
    const given: AbortSignal[] = [];
    await inTime(async (signal) => void given.push(signal), { ...LONG, signal: caller.signal });
    caller.abort();
    expect(given[0]?.aborted).toBe(false);
  });

  it('is not failed by a process that stood still for longer than the limit while the answer lay there', async () => {
    const answered = async () => {
      standStill(400);
      // The timers that are due come first.
      await nextTurn();
      await nextTurn();
      return 'answer';
    };
    await expect(inTime(answered, { timeoutMs: 200 })).resolves.toBe('answer');
  });

  it('is left also after a process stood still, when nothing comes', async () => {
    const silent = () => {
      standStill(60);
      return never();
    };
    await expect(inTime(silent, { timeoutMs: 30 })).rejects.toThrow(NoAnswerError);
  });
});

describe('a process with calls that have a time limit', () => {
  it('waits for them, ends when they have ended, and hears nothing of what comes too late', () => {
    const child = fileURLToPath(new URL('./children/in-time.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [child], { encoding: 'utf8', timeout: 30_000 });
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'answer\nrefused\nleft\nleft too\nNoAnswerError\nend\n',
      stderr: '',
    });
  });
});
