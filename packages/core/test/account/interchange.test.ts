import tls from 'node:tls';
import { PublicClientApplication } from '@azure/msal-node';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Account } from '../../src/account.js';
import type { Clock } from '../../src/clock.js';
import { BackendAccessDeniedError, InteractionRequiredError, TokenNotSavedError } from '../../src/errors.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { type AccountStage, ADA, BEN, failure, openAccountStage, PUBLIC, WEB } from './stage.js';

let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage({ refreshTokens: 'one-time' });
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

async function backendWith(text: string): Promise<MemoryTokenBackend> {
  const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
  await tokenBackend.records.write('o365_token.txt', Buffer.from(text), { expect: 'absent' });
  return tokenBackend;
}
/** A store whose next reads take longer than a lease lasts. */
class SlowBackend extends MemoryTokenBackend {
  slowReads = 0;
  readonly clock: Clock & { lateMs: number };
  constructor(now: () => number) {
    const clock = { lateMs: 0, now, monotonic: () => performance.now() + clock.lateMs };
    super({ clock });
    this.clock = clock;
  }
  protected override async readRecord(...args: Parameters<MemoryTokenBackend['readRecord']>) {
    if (this.slowReads-- > 0) this.clock.lateMs += 60_000;
    return super.readRecord(...args);
  }
}
/** A store that may be read, and for now not written. */
class ReadOnlyBackend extends MemoryTokenBackend {
  isReadOnly = false;
  protected override async writeRecord(...args: Parameters<MemoryTokenBackend['writeRecord']>) {
    if (this.isReadOnly) throw new BackendAccessDeniedError('The store is read-only.');
    return super.writeRecord(...args);
  }
}
const textIn = async (tokenBackend: MemoryTokenBackend) => {
  const record = await tokenBackend.records.read('o365_token.txt');
  return record === undefined || record === 'not-modified' ? '' : Buffer.from(record.data).toString();
};
const me = async (account: ReturnType<AccountStage['account']>) => (await account.getCurrentUser()).userPrincipalName;

/** What a sign-in of `username` left, with a refresh token that was never spent. */
async function signedInCache(username = ADA): Promise<TokenCache> {
  const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
  await stage.signedIn({ tokenBackend }, username);
  return (await tokenBackend.loadToken()) ?? new TokenCache();
}

describe('a token file of python-o365 2.0, which holds one bare token', () => {
  const legacyFile = async () =>
    JSON.stringify({
      token_type: 'Bearer',
      scope: ['https://graph.microsoft.com/User.Read', 'offline_access'],
      expires_in: 3_599,
      access_token: 'at-TEST-legacy',
      refresh_token: (await signedInCache()).getRefreshToken({ username: ADA })?.secret,
      expires_at: 1_700_000_000.5,
    });

  it('is imported through one refresh, whoever asks first, and is a record with an account from then on', async () => {
    const tokenBackend = await backendWith(await legacyFile());
    const accounts = [stage.account(WEB, { tokenBackend }), stage.account(WEB, { tokenBackend })];
    expect(await Promise.all(accounts.map((account) => account.isAuthenticated()))).toEqual([true, true]);
    expect(stage.count('refresh_token')).toBe(0);
    expect(await Promise.all([...accounts, ...accounts].map(me))).toEqual([ADA, ADA, ADA, ADA]);
    expect(stage.count('refresh_token')).toBe(1);
    const record = JSON.parse(await textIn(tokenBackend));
    expect(Object.keys(record).filter((name) => /^[a-z]/.test(name))).toEqual([]);
    expect(Object.keys(record.RefreshToken)).toHaveLength(1);
    expect(Object.keys(record.Account)).toHaveLength(1);
    expect(await accounts[0]?.getAuthenticatedUsernames()).toEqual([ADA]);
    await accounts[1]?.keepAlive();
    expect(stage.count('refresh_token')).toBe(2);
  });

  it('whose token the server no longer takes means signing in again, and is not asked about twice', async () => {
    const text = (await legacyFile()).replace(/rt-TEST-[^"]+/, 'rt-TEST-spent-long-ago');
    const account = stage.account(WEB, { tokenBackend: await backendWith(text) });
    expect(InteractionRequiredError.is(await failure(account.getAccessToken()))).toBe(true);
    expect(await account.isAuthenticated()).toBe(false);
    expect(await failure(account.getAccessToken())).toMatchObject({ code: expect.stringMatching(/NOT_AUTHENTICATED|REMOVED/) });
    expect(stage.count('refresh_token')).toBe(1);
  });

  it('stays as it is while the server cannot be reached', async () => {
    const text = await legacyFile();
    const tokenBackend = await backendWith(text);
    const account = stage.account(WEB, { tokenBackend });
    const fault = stage.authority.faults.add({ endpoint: 'token', status: 503 });
    expect(await failure(account.getAccessToken())).toMatchObject({ code: 'TOKENRY_REFRESH_FAILED', retryable: true });
    expect(await textIn(tokenBackend)).toBe(text);
    fault.remove();
    expect(await me(account)).toBe(ADA);
  });

  it('keeps its token when the lease runs out before it could be sent, and is imported with the next lease', async () => {
    const text = await legacyFile();
    const tokenBackend = new SlowBackend(() => stage.clock.now());
    await tokenBackend.records.write('o365_token.txt', Buffer.from(text), { expect: 'absent' });
    const account = stage.account(WEB, { tokenBackend, clock: tokenBackend.clock });
    tokenBackend.slowReads = Number.POSITIVE_INFINITY;
    expect(await failure(account.getAccessToken())).toMatchObject({ code: 'TOKENRY_REFRESH_FAILED', retryable: true });
    expect(stage.count('refresh_token')).toBe(0);
    expect(await textIn(tokenBackend)).toBe(text);
    tokenBackend.slowReads = 2;
    expect(await me(account)).toBe(ADA);
    expect(stage.count('refresh_token')).toBe(1);
  });

  it('is imported however short the leases are', async () => {
    const tokenBackend = await backendWith(await legacyFile());
    const account = stage.account(WEB, { tokenBackend, lease: { ttlMs: 4_000, renewEveryMs: 1_000 } });
    expect(await me(account)).toBe(ADA);
    expect(stage.count('refresh_token')).toBe(1);
  });

  it('keeps nobody waiting for a store that does not take what it became, and is saved when the store does', async () => {
    const tokenBackend = new ReadOnlyBackend({ clock: stage.clock });
    const text = await legacyFile();
    await tokenBackend.records.write('o365_token.txt', Buffer.from(text), { expect: 'absent' });
    const account = stage.account(WEB, { tokenBackend });
    tokenBackend.isReadOnly = true;
    expect(await me(account)).toBe(ADA);
    expect(await textIn(tokenBackend)).toBe(text);
    const closing = account.close();
    tokenBackend.isReadOnly = false;
    await closing;
    expect(await textIn(tokenBackend)).not.toContain('at-TEST-legacy');
    expect((await tokenBackend.loadToken({ fresh: true }))?.getAccounts()).toMatchObject([{ username: ADA }]);
    expect(stage.count('refresh_token')).toBe(1);
  });

  it('is named by close() beside the record of a refresh, when neither was saved', async () => {
    const tokenBackend = new ReadOnlyBackend({ clock: stage.clock });
    const text = await legacyFile();
    await tokenBackend.records.write('o365_token.txt', Buffer.from(text), { expect: 'absent' });
    const account = new Account(WEB, {
      ...stage.authority.accountOptions,
      proxy: false,
      clock: stage.clock,
      scopes: 'basic',
      tokenBackend,
    });
    const other = account.forKey('other');
    await stage.signIn(other);
    tokenBackend.isReadOnly = true;
    await tokenBackend.close();
    await Promise.allSettled([account.getAccessToken(), other.getAccessToken({ forceRefresh: true })]);
    const error = await failure(account.close());
    expect(TokenNotSavedError.is(error) && [...error.tokenKeys].sort()).toEqual(['o365_token.txt', 'other']);
  });

  it('is signed out of before it was imported', async () => {
    const tokenBackend = await backendWith(await legacyFile());
    const account = stage.account(WEB, { tokenBackend });
    expect(await account.isAuthenticated()).toBe(true);
    await account.signOut();
    expect(await textIn(tokenBackend)).not.toContain('refresh_token');
    expect(await account.isAuthenticated()).toBe(false);
    expect(await failure(account.getAccessToken())).toMatchObject({ reason: 'removed' });
  });

  it('is replaced by a sign-in', async () => {
    const tokenBackend = await backendWith(await legacyFile());
    const account = stage.account(WEB, { tokenBackend });
    await stage.signIn(account, BEN);
    expect(await textIn(tokenBackend)).not.toContain('at-TEST-legacy');
    expect((await account.getAccounts()).map(({ username }) => username)).toEqual([BEN]);
  });
});

describe('a token file of python-o365 2.1', () => {
  it('is opened in place, refreshed, and can be handed back', async () => {
    const tokenBackend = await backendWith((await signedInCache()).exportForPython());
    const account = stage.account(WEB, { tokenBackend });
    expect(await account.isAuthenticated()).toBe(true);
    expect(await me(account)).toBe(ADA);
    const before = (await tokenBackend.loadToken())?.getRefreshToken({ username: ADA })?.secret;
    await account.keepAlive();
    const cache = await tokenBackend.loadToken({ fresh: true });
    const after = cache?.getRefreshToken({ username: ADA })?.secret;
    expect(after).not.toBe(before);
    const exported = JSON.parse(cache?.exportForPython() ?? '{}');
    const tokens = Object.values(exported.RefreshToken) as { secret: string; target: string }[];
    expect(tokens).toHaveLength(1);
    expect(tokens[0]?.secret).toBe(after);
    expect(tokens[0]?.target).toContain('User.Read');
    const again = stage.account(WEB, { tokenBackend: await backendWith(cache?.exportForPython() ?? '') });
    expect(await me(again)).toBe(ADA);
    await again.keepAlive();
    expect(stage.count('refresh_token')).toBe(2);
  });
});

describe('a cache of msal-node', () => {
  it('is opened in place, and msal-node goes on with what was refreshed', async () => {
    const { ca, tenantId } = stage.authority.accountOptions;
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);
    const auth = {
      clientId: 'public-1',
      authority: `${stage.authority.url}/${tenantId}`,
      knownAuthorities: [new URL(stage.authority.url).host],
    };
    const scopes = [stage.account().protocol.prefixScope('User.Read')];
    const app = new PublicClientApplication({ auth });
    await app.acquireTokenByUsernamePassword({ scopes, username: ADA, password: 'secret-TEST-x' });
    const tokenBackend = await backendWith(app.getTokenCache().serialize());
    const account = stage.account(PUBLIC, { tokenBackend });
    expect(await me(account)).toBe(ADA);
    expect(stage.count('refresh_token')).toBe(0);
    await account.keepAlive();
    const back = new PublicClientApplication({ auth });
    back.getTokenCache().deserialize(await textIn(tokenBackend));
    const [who] = await back.getTokenCache().getAllAccounts();
    expect(who?.username).toBe(ADA);
    if (!who) return;
    const silent = await back.acquireTokenSilent({ account: who, scopes });
    expect([silent.fromCache, silent.accessToken === (await account.getAccessToken()).token]).toEqual([true, true]);
    await back.acquireTokenSilent({ account: who, scopes, forceRefresh: true });
    expect(stage.count('refresh_token')).toBe(2);
  });
});
