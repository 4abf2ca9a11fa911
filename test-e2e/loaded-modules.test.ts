import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Account } from '@tokenry/core';
import { startDevAuthority } from '@tokenry/dev-authority';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { expect, it } from 'vitest';

const node = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const HEAVY = [
  '@azure/msal-node',
  'undici',
  'jose',
  'cldr-core',
  'cldr-bcp47',
  'node-forge',
  'open',
  'ioredis',
  '@aws-sdk',
  '@google-cloud',
];

const SLOW_BUILTINS = ['crypto', 'http', 'https', 'tls', 'worker_threads', 'readline'];

interface Answer {
  readonly hasToken: boolean;
  /** URLs of files. */
  readonly loaded: readonly string[];
  /** Parts of Node.js. */
  readonly builtins: readonly string[];
}

it('a process that reads a valid token from a file loads no network, crypto or vendor library', async () => {
  const tokenPath = await mkdtemp(join(tmpdir(), 'tokenry-modules-'));
  await using authority = await startDevAuthority();
  const options = { ...authority.accountOptions, scopes: 'basic' };
  await using account = new Account(['client'], { ...options, tokenBackend: new FileSystemTokenBackend({ tokenPath }) });
  await account.authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });

  const { hasToken, loaded, builtins } = await answerOf({
    tokenPath,
    clientId: 'client',
    accountOptions: authority.accountOptions,
  });
  await rm(tokenPath, { recursive: true, force: true });

  expect(hasToken).toBe(true);
  expect(loaded.some((url) => url.includes('/core/dist/'))).toBe(true);
  expect(loaded.filter((url) => HEAVY.some((name) => url.includes(`/node_modules/${name}/`)))).toEqual([]);
  // Each file that Node.js has to find and read takes it a millisecond, and node:crypto alone takes eight.
  expect(loaded.filter((url) => url.includes('/packages/')).length).toBeLessThanOrEqual(4);
  expect(builtins).toContain('fs/promises');
  expect(builtins.filter((name) => SLOW_BUILTINS.includes(name))).toEqual([]);
  expect(authority.calls({ grantType: 'refresh_token' })).toEqual([]);
});

function answerOf(instructions: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./children/list-loaded-modules.ts', import.meta.url), { execPath: node, execArgv: [] });
    child.once('message', (message) => resolve(message as Answer));
    child.once('error', reject);
    child.once('exit', (code) => code !== 0 && reject(new Error(`the process ended with code ${code}`)));
    child.send(instructions);
  });
}
