import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Result {
  readonly title: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

async function leakingTests(): Promise<readonly Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-leaks-'));
  const report = join(folder, 'report.json');
  const config = ['--config', 'test-e2e/leak-check/vitest.config.ts', '--reporter=json', `--outputFile.json=${report}`];
  try {
    await new Promise<void>((resolve) => {
      execFile(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...config], { cwd: root }, () => resolve());
    });
    return JSON.parse(await readFile(report, 'utf8')).testResults[0].assertionResults;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('every test run fails when a secret is printed or published', async () => {
  const results = await leakingTests();
  expect(results.map(({ title, status }) => `${title}: ${status}`)).toEqual([
    'prints to the console: failed',
    'prints to standard output: failed',
    'prints to standard error: failed',
    'publishes: failed',
    'keeps quiet: passed',
  ]);
  const said = results.map(({ failureMessages }) => failureMessages.join());
  for (const message of said.slice(0, 4)) expect(message).toMatch(/A secret was printed or published/);
  expect(said.join()).not.toMatch(/TEST-(console|stdout|stderr)/);
});
