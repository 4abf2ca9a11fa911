import { describe, expect, it } from 'vitest';
import { KeyQueue } from '../../src/backend/key-queue.js';
import { settle } from './support/test-clock.js';

describe('a key queue', () => {
  it('runs the tasks of one key in order and those of others meanwhile', async () => {
    const queue = new KeyQueue();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = queue.run('a', async () => {
      await gate.promise;
      log.push('a1');
    });
    const second = queue.run('a', async () => void log.push('a2'));
    await queue.run('b', async () => void log.push('b'));
    gate.resolve();
    await Promise.all([first, second]);
    expect(log).toEqual(['b', 'a1', 'a2']);
  });

  it('goes on after a task that failed', async () => {
    const queue = new KeyQueue();
    const failed = queue.run('a', () => Promise.reject(new Error('no')));
    await expect(queue.run('a', async () => 'next')).resolves.toBe('next');
    await expect(failed).rejects.toThrow('no');
  });

  it('ends the wait of an aborted caller at once and skips its task', async () => {
    const queue = new KeyQueue();
    const gate = Promise.withResolvers<void>();
    const busy = queue.run('a', () => gate.promise);
    const controller = new AbortController();
    const ran: string[] = [];
    const waiting = queue.run('a', async () => void ran.push('task'), controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    gate.resolve();
    await busy;
    await settle();
    expect(ran).toEqual([]);
  });
});
