import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const source = new URL('../../src/sign-in/open-browser.ts', import.meta.url);
const url = 'https://login.example/authorize?state=abc';

/** What a program without a terminal prints when `BROWSER` is its only browser. */
async function printed(BROWSER: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'tokenry-browser-'));
  const script = `const { openSystemBrowser } = await import('${source}'); await openSystemBrowser('${url}');
    await new Promise((resolve) => setTimeout(resolve, 2000));`;
  const env = { PATH: process.env.PATH, HOME: home, BROWSER };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    return stdout + stderr;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

// Elsewhere the system's own program opens the page, whatever BROWSER says.
it.runIf(process.platform === 'linux')('says the page once when no browser can be started', async () => {
  const text = await printed('tokenry-no-such-browser');
  expect(text.split(url)).toHaveLength(2);
});

it.runIf(process.platform === 'linux')('says nothing outside a terminal when a browser took the page', async () => {
  expect(await printed('true')).toBe('');
});
