import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AccountStage, ADA, BEN, GWEN, openAccountStage, PUBLIC, WEB } from './stage.js';

const OTHER_TENANT = '77777777-6666-5555-4444-333333333333';
let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage();
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

const tenantOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).tid;

describe('a program for people of many tenants', () => {
  it.each(['common', 'organizations'])('finds its tokens again under tenantId "%s"', async (tenantId) => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    await stage.signedIn({ tenantId, tokenBackend });
    const later = stage.account(WEB, { tenantId, tokenBackend });
    const first = await later.getAccessToken();
    expect((await later.getAccessToken()).token).toBe(first.token);
    expect(stage.count('refresh_token')).toBe(0);
    await later.keepAlive();
    expect((await later.getAccessToken()).token).not.toBe(first.token);
    expect(stage.count('refresh_token')).toBe(1);
  });

  it('gets tokens of another tenant with the same refresh token, and keeps them apart', async () => {
    const account = await stage.signedIn();
    const home = await account.getAccessToken();
    const away = await account.getAccessToken({ tenantId: OTHER_TENANT });
    expect([tenantOf(home.token), tenantOf(away.token)]).toEqual([stage.authority.accountOptions.tenantId, OTHER_TENANT]);
    expect((await account.getAccessToken({ tenantId: OTHER_TENANT })).token).toBe(away.token);
    expect((await account.getAccessToken()).token).toBe(home.token);
    expect(stage.count('refresh_token')).toBe(1);
    expect(await account.getAccounts()).toHaveLength(1);
  });

  it('refreshes a guest under the guest’s own account', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const account = await stage.signedIn({ tokenBackend }, GWEN);
    await account.keepAlive();
    expect((await account.getCurrentUser()).userPrincipalName).toBe(GWEN);
    const cache = await tokenBackend.loadToken({ fresh: true });
    expect(cache?.getAccounts()).toHaveLength(1);
    expect(Object.keys(JSON.parse(cache?.serialize() ?? '{}').RefreshToken)).toHaveLength(1);
  });
});

describe('scopes', () => {
  it('a grant that is shorter than asked is taken for the answer, and not asked for again and again', async () => {
    await using strict = await openAccountStage({ withheldScopes: ['https://graph.microsoft.com/Mail.Send', 'Mail.Send'] });
    const account = await strict.signedIn({ scopes: ['basic', 'message_send'] });
    const first = await account.getAccessToken();
    for (let at = 0; at < 5; at++) expect((await account.getAccessToken()).token).toBe(first.token);
    expect(strict.count('refresh_token')).toBe(0);
    await account.getAccessToken({ scopes: ['message_send'] });
    await account.getAccessToken({ scopes: ['message_send'] });
    expect(strict.count('refresh_token')).toBeLessThanOrEqual(1);
  });

  it('other scopes of the same account refresh one after the other, with the newest refresh token', async () => {
    await using strict = await openAccountStage({ refreshTokens: 'one-time-revoking' });
    const account = await strict.signedIn();
    const wishes = ['mailbox', 'calendar', 'tasks', 'presence', 'mailbox', 'calendar'];
    const tokens = await Promise.all(wishes.map((scopes) => account.getAccessToken({ scopes })));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(4);
    expect(strict.count('refresh_token')).toBe(4);
    expect(await account.verify()).toBe(true);
  });

  it('accounts of one record refresh in parallel, and meet in the record', async () => {
    await using strict = await openAccountStage({ refreshTokens: 'one-time-revoking' });
    const tokenBackend = new MemoryTokenBackend({ clock: strict.clock });
    const ada = await strict.signedIn({ tokenBackend }, ADA);
    const ben = await strict.signedIn({ tokenBackend }, BEN);
    await Promise.all([ada, ben, ada, ben].map((account) => account.keepAlive()));
    expect(strict.count('refresh_token')).toBe(2);
    for (const account of [ada, ben]) expect(await account.verify()).toBe(true);
  });
});

describe('clocks that differ', () => {
  it.each([
    ['ahead', 20 * 60_000],
    ['behind', -20 * 60_000],
  ])('a server 20 minutes %s is no reason to refresh early, late or again and again', async (_where, offset) => {
    await using strict = await openAccountStage();
    strict.authority.advanceClock(offset);
    const account = await strict.signedIn();
    const first = await account.getAccessToken();
    for (let at = 0; at < 3; at++) expect((await account.getAccessToken()).token).toBe(first.token);
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect(strict.count('refresh_token')).toBe(0);
    expect(first.expiresAt - strict.clock.now()).toBeGreaterThan(58 * 60_000);
    expect(first.expiresAt - strict.clock.now()).toBeLessThan(62 * 60_000);
    strict.pass(61 * 60_000);
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect(strict.count('refresh_token')).toBe(1);
  });

  it('time that passes between the answer and its save is no difference', async () => {
    await using strict = await openAccountStage();
    const account = strict.account();
    const listen = async () => ({
      redirectUri: 'http://localhost:8400/signed-in',
      receive: strict.authority.consentAs(ADA),
      settle: async () => strict.pass(10 * 60_000),
    });
    await account.authenticate({ handleConsent: Object.assign(strict.authority.consentAs(ADA), { listen }) });
    const { expiresAt } = await account.getAccessToken();
    expect(expiresAt - strict.clock.now()).toBeLessThan(51 * 60_000);
  });

  it('a process that did not see the sign-in learns the difference at its first refresh', async () => {
    await using strict = await openAccountStage();
    strict.authority.advanceClock(20 * 60_000);
    const tokenBackend = new MemoryTokenBackend({ clock: strict.clock });
    await strict.signedIn({ tokenBackend });
    const other = strict.account(WEB, { tokenBackend });
    expect((await other.getCurrentUser()).userPrincipalName).toBe(ADA);
    const renewed = await other.getAccessToken({ forceRefresh: true });
    expect((await other.getAccessToken()).token).toBe(renewed.token);
    expect(renewed.expiresAt - strict.clock.now()).toBeLessThan(62 * 60_000);
  });
});

describe('a signal that is aborted already', () => {
  it('ends every call with its reason', async () => {
    const account = await stage.signedIn();
    const signal = AbortSignal.abort(new Error('not now'));
    await expect(account.getAccessToken({ signal, forceRefresh: true })).rejects.toThrow('not now');
    await expect(account.keepAlive({ signal })).rejects.toThrow('not now');
    await expect(account.verify({ signal })).rejects.toThrow('not now');
    await expect(account.connection.get('/me', { signal })).rejects.toThrow('not now');
    await expect(stage.account(PUBLIC).authenticate({ signal, handleConsent: stage.authority.consentAs(ADA) })).rejects.toThrow(
      'not now',
    );
  });
});
