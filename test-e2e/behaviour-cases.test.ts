import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../packages', import.meta.url));

const tests = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[^/\\]+[/\\]test[/\\].*\.test\.ts$/.test(path))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

/** The cases in which python-o365 loses tokens, refreshes too often or tells secrets. */
it.each(Array.from({ length: 32 }, (_, at) => `B${String(at + 1).padStart(2, '0')}`))('%s is a test of that name', (name) => {
  expect(new RegExp(`['"\`]${name}: `).test(tests)).toBe(true);
});
