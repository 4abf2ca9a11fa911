import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { channels } from '../../src/observability/events.js';

const program = fileURLToPath(new URL('./children/count-built-events.ts', import.meta.url));

test('an event is built while somebody listens to its channel, and only then', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(JSON.parse(stdout)).toEqual({ counts: [0, 1, 1], heard: [{ tokenKey: 'key', attempt: 1 }] });
});

test('the channels are six, named as documented', () => {
  expect(Object.values(channels).map(({ name }) => name)).toEqual(
    ['acquire', 'refresh', 'lease', 'save', 'conflict', 'fault'].map((name) => `tokenry:${name}`),
  );
});
