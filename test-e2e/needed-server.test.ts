import { afterEach, expect, test, vi } from 'vitest';
import { neededServer } from '../test-support/needed-server.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const missing = () => neededServer({ name: 'some-server', howToGet: 'apt-get install some-server', works: () => false });
const LINE = 'some-server is missing: apt-get install some-server';

test('a missing server is announced in one line, once', () => {
  vi.stubEnv('CI', '');
  const warned = vi.spyOn(console, 'warn').mockReturnValue();
  const server = missing();
  expect([server.isHere(), server.isHere()]).toEqual([false, false]);
  expect(warned.mock.calls).toEqual([[`Skipped: ${LINE}`]]);
});

test('with CI=true it is a failure, for everybody who asks', () => {
  vi.stubEnv('CI', 'true');
  const server = missing();
  for (let time = 0; time < 2; time++) expect(() => server.isHere()).toThrow(LINE);
});

test('a server that is there is looked for once', () => {
  const works = vi.fn(() => true);
  const server = neededServer({ name: 'some-server', howToGet: '', works });
  expect([server.isHere(), server.isHere(), works.mock.calls.length]).toEqual([true, true, 1]);
});
