import { describe, expect, test } from 'vitest';
import { InProcessQueue } from '../src/in-process-queue.js';
import { UnchangedSince } from '../src/unchanged-since.js';

describe('queue in front of a lock', () => {
  test('runs one at a time in order, other names beside it, and goes on after failures', async () => {
    const queue = new InProcessQueue();
    const log: string[] = [];
    const step = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      if (name === 'a') throw new Error('a failed');
    };
    const [a] = await Promise.allSettled([queue.run('x', step('a')), queue.run('x', step('b')), queue.run('y', step('c'))]);
    expect(a).toMatchObject({ status: 'rejected', reason: { message: 'a failed' } });
    expect(log.filter((line) => !line.startsWith('c'))).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(log.indexOf('c begins')).toBeLessThan(log.indexOf('a ends'));
  });

  test('who leaves the queue lets nobody overtake those before', async () => {
    const queue = new InProcessQueue();
    const log: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = queue.run('x', () => promise.then(() => void log.push('first')));
    const controller = new AbortController();
    const second = queue.run('x', async () => void log.push('second'), controller.signal);
    const third = queue.run('x', async () => void log.push('third'));
    controller.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    expect(log).toEqual([]);
    resolve();
    await Promise.all([first, third]);
    expect(log).toEqual(['first', 'third']);
  });
});

describe('unchanged since', () => {
  test('counts from the first sighting of each text, and forgets the oldest of too many names', () => {
    let now = 0;
    const watch = new UnchangedSince(() => now);
    expect(watch.observe('a', '1')).toBe(0);
    now = 50;
    expect([watch.observe('a', '1'), watch.observe('a', '2')]).toEqual([50, 0]);
    now = 60;
    expect(watch.observe('a', '2')).toBe(10);
    for (let i = 0; i < 1_000; i++) watch.observe(`n${i}`, 'x');
    expect(watch.observe('a', '2')).toBe(0);
    watch.forget('n999');
    expect(watch.observe('n999', 'x')).toBe(0);
  });
});
