import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Account, type TokenBackend } from '@tokenry/core';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LockingFileTokenBackend } from './locking-file-backend.js';
import { RefreshFlagTokenBackend } from './refresh-flag-backend.js';

const USER = 'ada@contoso.example';
let authority: DevAuthority;

beforeAll(async () => {
  authority = await startDevAuthority({ refreshTokens: 'one-time-revoking', signingAlgorithm: 'ES256' });
});
afterAll(() => authority.close());

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-hooks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Accounts of programs that share a folder; a user is signed in there. */
async function programs(clientId: string, backends: readonly TokenBackend[]): Promise<readonly Account[]> {
  const accounts = backends.map(
    (tokenBackend) => new Account([clientId], { ...authority.accountOptions, tokenBackend, scopes: 'basic' }),
  );
  await accounts[0]?.authenticate({
    handleConsent: authority.consentAs(USER),
    redirectUri: 'http://localhost:8400',
  });
  // Everybody knows the same token, which is then to be replaced.
  await Promise.all(accounts.map((account) => account.getAccessToken()));
  return accounts;
}

const refreshCalls = (clientId: string) => authority.calls({ grantType: 'refresh_token', clientId }).length;

const DESIGNS = {
  'the locking file backend': (tokenPath: string) => new LockingFileTokenBackend({ tokenPath, patienceMs: 10_000 }),
  'the refresh flag backend': (tokenPath: string) => new RefreshFlagTokenBackend({ tokenPath, factorMs: 100, maxTries: 8 }),
};

describe.each(Object.entries(DESIGNS))('%s', (name, open) => {
  const clientId = name.replaceAll(' ', '-');

  test('lets three programs with ten callers each refresh once', async () => {
    const folder = await scratchFolder();
    const accounts = await programs(clientId, [open(folder), open(folder), open(folder)]);
    const before = refreshCalls(clientId);
    const { expiresAt } = (await accounts[0]?.getAccessToken()) ?? { expiresAt: 0 };
    const minimumLifetimeMs = expiresAt - Date.now() + 1_000;
    const calls = accounts.flatMap((account) => Array.from({ length: 10 }, () => account.getAccessToken({ minimumLifetimeMs })));
    const tokens = new Set((await Promise.all(calls)).map(({ token }) => token));
    expect(tokens.size).toBe(1);
    expect(refreshCalls(clientId) - before).toBe(1);
  });

  test('gives the way free after a refresh that failed', async () => {
    const folder = await scratchFolder();
    const [first, second] = await programs(`${clientId}-failed`, [open(folder), open(folder)]);
    const fault = authority.faults.add({
      endpoint: 'token',
      grantType: 'refresh_token',
      times: 1,
      status: 503,
      error: 'temporarily_unavailable',
    });
    await expect(first?.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'TOKENRY_REFRESH_FAILED' });
    expect(fault.hits).toBe(1);
    expect((await second?.getAccessToken({ forceRefresh: true }))?.token).toEqual(expect.any(String));
  });
});

test('a lock that somebody holds past all patience is an error that names the holder', async () => {
  const folder = await scratchFolder();
  const backend = new LockingFileTokenBackend({ tokenPath: folder, patienceMs: 200 });
  const [account] = await programs('patience', [backend]);
  await backend.leases.tryAcquire(`refreshing.${backend.defaultTokenKey}`, { owner: 'somebody else', ttlMs: 60_000 });
  await expect(account?.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({
    code: 'TOKENRY_LEASE_TIMEOUT',
    holder: expect.stringContaining('somebody else'),
  });
});

test('a flag that a crashed program left behind delays a refresh, and does not stop it', async () => {
  const folder = await scratchFolder();
  const backend = new RefreshFlagTokenBackend({ tokenPath: folder, factorMs: 5, maxTries: 3 });
  const [account] = await programs('crashed', [backend]);
  await backend.records.write(`${backend.defaultTokenKey}.refresh-flag`, Buffer.from('taken'), { expect: 'absent' });
  const before = refreshCalls('crashed');
  await account?.getAccessToken({ forceRefresh: true });
  expect(refreshCalls('crashed') - before).toBe(1);
});
