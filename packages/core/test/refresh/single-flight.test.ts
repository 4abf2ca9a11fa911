import { expect, test } from 'vitest';
import { SingleFlight } from '../../src/refresh/single-flight.js';

const deferred = () => Promise.withResolvers<string>();

test('equal work runs once and everybody gets its result', async () => {
  const flights = new SingleFlight();
  const gate = deferred();
  let runs = 0;
  const work = () => {
    runs += 1;
    return gate.promise;
  };
  const all = Array.from({ length: 25 }, () => flights.run('subject', 'key', work));
  gate.resolve('value');
  expect(await Promise.all(all.map(({ result }) => result))).toEqual(Array.from({ length: 25 }, () => 'value'));
  expect(runs).toBe(1);
  expect(all.map(({ joined }) => joined)).toEqual([false, ...Array.from({ length: 24 }, () => true)]);
  expect(flights.size).toBe(0);
});

test('different work on one subject runs in order, one at a time, past a failure', async () => {
  const flights = new SingleFlight();
  const log: string[] = [];
  const work =
    (name: string, fails = false) =>
    async () => {
      log.push(`${name} starts`);
      await Promise.resolve();
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const first = flights.run('account', 'a', work('a', true)).result;
  const second = flights.run('account', 'b', work('b')).result;
  await expect(first).rejects.toThrow('a');
  expect(await second).toBe('b');
  expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
});

test('work on different subjects does not wait for each other', async () => {
  const flights = new SingleFlight();
  const gate = deferred();
  const slow = flights.run('ada', 'ada', () => gate.promise).result;
  expect(await flights.run('ben', 'ben', async () => 'ben').result).toBe('ben');
  gate.resolve('ada');
  expect(await slow).toBe('ada');
});

test('a rejection goes to everybody who waited, and to nobody after that', async () => {
  const flights = new SingleFlight();
  const gate = deferred();
  const waiting = [1, 2].map(() => flights.run('s', 'k', () => gate.promise).result);
  gate.reject(new Error('down'));
  expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await flights.run('s', 'k', async () => 'up').result).toBe('up');
});

test('settled waits for everything in flight, well or not', async () => {
  const flights = new SingleFlight();
  const gate = deferred();
  const { result } = flights.run('s', 'k', () => gate.promise);
  let settled = false;
  const all = flights.settled().then(() => {
    settled = true;
  });
  await Promise.resolve();
  expect(settled).toBe(false);
  gate.reject(new Error('down'));
  await expect(result).rejects.toThrow('down');
  await all;
  expect(settled).toBe(true);
});
