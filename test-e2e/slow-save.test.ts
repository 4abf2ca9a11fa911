import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Account } from '@tokenry/core';
import { startDevAuthority } from '@tokenry/dev-authority';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { expect, onTestFinished, test } from 'vitest';
import { Child } from '../test-support/child.ts';
import type { SlowSaverOptions } from './children/slow-saver.ts';

const CLIENT_ID = 'slow-save-1';
const [ADA, BEN] = ['ada@contoso.example', 'ben@contoso.example'];
const EXPIRED_MS = 2 * 3_600_000;

test('a process whose own save ends late, while it reads under a lease, does not spend a token that another one has spent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-slow-save-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const authority = await startDevAuthority({ refreshTokens: 'one-time-revoking' });
  onTestFinished(() => authority.close());
  let offsetMs = 0;
  const { accountOptions } = authority;
  const tokenBackend = new FileSystemTokenBackend({ tokenPath: folder });
  const accountOf = (username: string) => {
    const account = new Account([CLIENT_ID], {
      ...accountOptions,
      tokenBackend,
      authFlowType: 'password',
      username,
      password: 'password-TEST',
      scopes: ['User.Read'],
      clock: { now: () => Date.now() + offsetMs, monotonic: () => performance.now() },
    });
    return account.forKey(tokenBackend.defaultTokenKey, { username });
  };
  for (const username of [ADA, BEN]) await accountOf(username).authenticate();
  offsetMs = EXPIRED_MS;
  authority.advanceClock(EXPIRED_MS);

  const options: SlowSaverOptions = {
    folder,
    clientId: CLIENT_ID,
    authority: accountOptions,
    clockOffsetMs: offsetMs,
    first: ADA,
    second: BEN,
  };
  // Ada's new tokens are in the file now; that process does not know it yet.
  const other = await Child.started(new URL('./children/slow-saver.ts', import.meta.url), [options]);
  onTestFinished(() => void other.process.kill());
  const { token } = await accountOf(BEN).getAccessToken();
  other.say('ask for the second');
  expect(await other.hear()).toEqual({ token });
  const refreshes = authority.calls({ grantType: 'refresh_token', clientId: CLIENT_ID });
  expect(refreshes.map(({ username, error }) => [username, error])).toEqual([
    [ADA, undefined],
    [BEN, undefined],
  ]);
});
