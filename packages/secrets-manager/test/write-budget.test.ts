import type { TokenCache } from '@tokenry/core/tokens';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { describe, expect, test } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { clientOptionsFor, describeOnMoto } from '../../s3/test/servers/aws.js';
import type { GateRequest } from '../../s3/test/servers/gate.js';
import { WriteBudget } from '../src/write-budget.js';

const TEN_MINUTES = 600_000;

describe('the budget', () => {
  test('allows a write of a secret ten minutes after the last one, whoever made that', () => {
    let now = 1_000_000_000;
    const budget = new WriteBudget({ intervalMs: TEN_MINUTES, now: () => now });
    expect(budget.waitMs('a')).toBe(0);
    budget.written('a', now - 60_000);
    expect([budget.waitMs('a'), budget.waitMs('b')]).toEqual([540_000, 0]);
    now += 540_000;
    expect(budget.waitMs('a')).toBe(0);
    budget.written('a');
    expect(budget.waitMs('a')).toBe(TEN_MINUTES);
  });

  test("never waits longer than ten minutes, although the service's clock be hours ahead", () => {
    const budget = new WriteBudget({ intervalMs: TEN_MINUTES, now: () => 0 });
    budget.written('a', 7_200_000);
    expect(budget.waitMs('a')).toBe(TEN_MINUTES);
  });

  test('never waits longer than a timer of the system can, and may be without end', () => {
    const budget = new WriteBudget({ intervalMs: Number.POSITIVE_INFINITY, now: () => 0 });
    budget.written('a');
    expect(budget.waitMs('a')).toBe(2_147_483_647);
  });

  test('of 0 lets everything through', () => {
    const budget = new WriteBudget({ intervalMs: 0, now: () => 0 });
    budget.written('a');
    expect(budget.waitMs('a')).toBe(0);
  });

  test('remembers ten thousand secrets, the last ones', () => {
    const budget = new WriteBudget({ intervalMs: TEN_MINUTES, now: () => 0 });
    for (let i = 0; i <= 10_000; i++) budget.written(`s${i}`);
    expect([budget.waitMs('s0'), budget.waitMs('s1'), budget.waitMs('s10000')]).toEqual([0, TEN_MINUTES, TEN_MINUTES]);
  });

  /** What a day costs: refreshes every 65 minutes on average, at times of their own. */
  function writesPerDay(accounts: number, rotating: boolean): number {
    let now = 0;
    const budget = new WriteBudget({ intervalMs: TEN_MINUTES, now: () => now });
    const due = Array.from({ length: accounts }, (_, i) => (i * 3_900_000) / accounts);
    let [writes, waiting] = [0, false];
    for (; now < 86_400_000; now += 1_000) {
      for (const [i, at] of due.entries()) {
        if (at > now) continue;
        due[i] = at + 3_900_000;
        waiting = true;
        if (!rotating && budget.waitMs('s') > 0) continue;
        writes += 1;
        budget.written('s');
        waiting = false;
      }
      if (waiting && budget.waitMs('s') === 0) {
        writes += 1;
        budget.written('s');
        waiting = false;
      }
    }
    return writes;
  }

  test('costs in a day what the README says', () => {
    const days = [1, 4, 10, 50].map((accounts) => [accounts, writesPerDay(accounts, true), writesPerDay(accounts, false)]);
    expect(days).toEqual([
      [1, 23, 23],
      [4, 89, 89],
      [10, 222, 144],
      [50, 1108, 144],
    ]);
  });
});

interface RecordAccess {
  current(tokenKey: string): Promise<{ readonly cache: TokenCache } | undefined>;
  commit(tokenKey: string, change: (cache: TokenCache) => void): Promise<{ readonly saved: boolean }>;
}
/** What the refresh uses. */
const accessOf = (backend: object) => (backend as Record<symbol, unknown>)[Symbol.for('tokenry.recordAccess')] as RecordAccess;

const appOnly = (secret: string) => (cache: TokenCache) =>
  cache.add({
    response: { token_type: 'Bearer', access_token: secret, expires_in: 3_600 },
    environment: 'login.microsoftonline.com',
    clientId: 'client-id',
    tenantId: 'tenant',
    scopes: ['https://graph.microsoft.com/.default'],
    grantType: 'client_credentials',
  });

await describeOnMoto('on an emulator', ({ gate }) => {
  const open = (minimumWriteIntervalMs = TEN_MINUTES) =>
    new SecretsManagerTokenBackend({ secretName: 'o365', clientOptions: clientOptionsFor(gate), minimumWriteIntervalMs });
  const puts = () =>
    gate.seen.filter(({ headers }: GateRequest) => String(headers['x-amz-target']).endsWith('PutSecretValue')).length;
  const secrets = (cache: TokenCache | undefined) =>
    [...(cache?.state.AccessToken.values() ?? [])].map(({ secret }) => secret).sort();

  test('a fleet shares it: what another process has just written counts, and what waits rides along', async () => {
    const [ada, bob, reader] = [open(), open(), open(0)];
    await ada.saveToken(signedIn('ada'), { tokenKey: 'k' });
    await accessOf(bob).current('k');
    expect(await accessOf(bob).commit('k', appOnly('at-TEST-app'))).toMatchObject({ saved: true });
    expect([puts(), secrets(await reader.loadToken({ tokenKey: 'k' }))]).toEqual([0, ['at-TEST-ada']]);
    expect(secrets(await bob.loadToken({ tokenKey: 'k', fresh: true }))).toEqual(['at-TEST-ada', 'at-TEST-app']);
    // A sign-in, or a rotated refresh token, is written at once.
    await bob.saveToken(signedIn('bob'), { tokenKey: 'k' });
    expect([puts(), secrets(await reader.loadToken({ tokenKey: 'k', fresh: true }))]).toEqual([
      1,
      ['at-TEST-ada', 'at-TEST-app', 'at-TEST-bob'],
    ]);
    await Promise.all([ada, bob, reader].map((backend) => backend.close()));
  });

  test('the first app-only token is written like any other, for the fleet to share', async () => {
    const [ada, bob] = [open(), open()];
    await accessOf(ada).commit('app', appOnly('at-TEST-app-1'));
    expect(secrets((await accessOf(bob).current('app'))?.cache)).toEqual(['at-TEST-app-1']);
    await Promise.all([ada, bob].map((backend) => backend.close()));
  });
});
