import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const child = fileURLToPath(new URL('./children/pending-save.ts', import.meta.url));
const run = (...args: string[]) => promisify(execFile)(process.execPath, [child, ...args], { timeout: 30_000 });

describe('a script with nothing left to do', () => {
  it('stays until its tokens are saved, and then exits by itself, a held lease notwithstanding', async () => {
    const { stdout } = await run('700');
    expect(stdout.trim().split('\n')).toEqual(['done', 'saved key true']);
  });

  it('exits at once when everything is saved', async () => {
    const { stdout } = await run('0');
    expect(stdout.trim().split('\n')).toEqual(['saved key true', 'done']);
  });
});
