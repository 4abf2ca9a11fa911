import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Account } from '@tokenry/core';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./children/end-by-itself.ts', import.meta.url));
let authority: DevAuthority;

beforeAll(async () => {
  authority = await startDevAuthority({ signingAlgorithm: 'ES256', refreshTokens: 'one-time' });
});
afterAll(() => authority.close());

interface Order {
  readonly clientId: string;
  readonly refusesForMs?: number;
  readonly forceRefresh?: boolean;
}

/** Runs the script on a signed-in account; resolves when it has ended by itself. */
async function runScript({ clientId, refusesForMs = 0, forceRefresh = false }: Order) {
  const tokenPath = await mkdtemp(join(tmpdir(), 'tokenry-ends-'));
  onTestFinished(() => rm(tokenPath, { recursive: true, force: true }));
  await using tokenBackend = new FileSystemTokenBackend({ tokenPath });
  await using account = new Account([clientId], { ...authority.accountOptions, tokenBackend, scopes: 'basic' });
  await account.authenticate({ handleConsent: authority.consentAs('ada@contoso.example'), redirectUri: 'http://localhost:8400' });
  const { token: first } = await account.getAccessToken();
  const { accountOptions } = authority;
  const order = JSON.stringify({ clientId, tokenPath, accountOptions, refusesForMs, forceRefresh });
  // Node.js ends it when nothing holds it any more; the time-out is the failure.
  const { stdout } = await run(process.execPath, [script, order], { timeout: 55_000 });
  const stored = await tokenBackend.loadToken({ fresh: true });
  return { first, printed: stdout.trim(), stored: stored?.getAccessToken()?.secret };
}

const refreshes = (clientId: string) => authority.calls({ grantType: 'refresh_token', clientId }).length;

test('a script that finds a valid token ends, though it closes nothing', async () => {
  const { first, printed } = await runScript({ clientId: 'idle' });
  expect(printed).toBe(first);
  expect(refreshes('idle')).toBe(0);
});

test('a script that refreshes ends, and what it obtained is stored', async () => {
  const { first, printed, stored } = await runScript({ clientId: 'refreshes', forceRefresh: true });
  expect(printed).not.toBe(first);
  expect(stored).toBe(printed);
});

test('a refresh in the background is finished and saved before the script ends', async () => {
  authority.setAccessTokenSeconds(600);
  // 5 of 10 minutes are the soft window: from 6 minutes on it surely is entered, from 9 on it would be waited for.
  const clientId = 'background';
  authority.advanceClock(-7 * 60_000);
  const fault = authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', clientId, delayMs: 500 });
  const played = runScript({ clientId });
  const { first, printed, stored } = await played;
  fault.remove();
  authority.advanceClock(7 * 60_000);
  authority.setAccessTokenSeconds(3_600);
  expect(printed).toBe(first);
  expect(refreshes(clientId)).toBe(1);
  expect(stored).not.toBe(first);
});

test('a save that the store refuses for a while holds the script until it is done', async () => {
  const { printed, stored } = await runScript({ clientId: 'pending', forceRefresh: true, refusesForMs: 1_500 });
  expect(stored).toBe(printed);
});

test('a save that the store refuses for good holds the script for half a minute, not for ever', async () => {
  const { first, printed, stored } = await runScript({ clientId: 'hopeless', forceRefresh: true, refusesForMs: 3_600_000 });
  expect(printed).not.toBe(first);
  expect(stored).toBe(first);
});
