import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Account, type RefreshRequest, type TokenBackend } from '@tokenry/core';
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

/** The store loses its flag while a refresh runs, and cannot be given another. */
class LostFlagTokenBackend extends RefreshFlagTokenBackend {
  readonly flagPath: string;

  constructor(tokenPath: string) {
    super({ tokenPath, factorMs: 5, maxTries: 1 });
    this.flagPath = join(tokenPath, `${this.defaultTokenKey}.refresh-flag.token`);
  }

  override shouldRefreshToken({ tokenKey, account, tokenIsExpired, ...request }: RefreshRequest): Promise<boolean | null> {
    const refresh = async () => {
      await rm(this.flagPath);
      await mkdir(this.flagPath);
      await request.refresh();
    };
    return super.shouldRefreshToken({ tokenKey, account, tokenIsExpired, reload: () => request.reload(), refresh });
  }
}

describe('a flag that cannot be given back', () => {
  test('does not fail a refresh that worked', async () => {
    const backend = new LostFlagTokenBackend(await scratchFolder());
    const [account] = await programs('lost-flag', [backend]);
    const before = await account?.getAccessToken();
    const after = await account?.getAccessToken({ forceRefresh: true });
    expect(after?.token).toEqual(expect.any(String));
    expect(after?.token).not.toBe(before?.token);
    await expect(backend.records.read(`${backend.defaultTokenKey}.refresh-flag`)).rejects.toThrow();
  });

  test('does not hide why a refresh failed', async () => {
    const [account] = await programs('lost-flag-failed', [new LostFlagTokenBackend(await scratchFolder())]);
    authority.faults.add({
      endpoint: 'token',
      grantType: 'refresh_token',
      times: 1,
      status: 503,
      error: 'temporarily_unavailable',
    });
    await expect(account?.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'TOKENRY_REFRESH_FAILED' });
  });
});
