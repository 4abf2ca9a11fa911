import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Account } from '../../src/account.js';
import { InteractionRequiredError } from '../../src/errors.js';
import type { RefreshEvent } from '../../src/observability/events.js';
import { type AccountStage, ADA, failure, openAccountStage, WEB } from './stage.js';

const MINUTE = 60_000;
let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage({ accessTokenSeconds: 3_600 });
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

const refreshes = () => stage.count('refresh_token');

async function fresh(): Promise<{ account: Account; token: string }> {
  const account = await stage.signedIn();
  return { account, token: (await account.getAccessToken()).token };
}

describe('an access token', () => {
  it('is handed out from memory until its soft window', async () => {
    const { account, token } = await fresh();
    stage.pass(50 * MINUTE);
    expect((await account.getAccessToken()).token).toBe(token);
    expect(refreshes()).toBe(0);
  });

  it('is handed out and refreshed in the background in its soft window', async () => {
    const { account, token } = await fresh();
    stage.pass(57 * MINUTE);
    expect((await account.getAccessToken()).token).toBe(token);
    await vi.waitFor(async () => expect((await account.getAccessToken()).token).not.toBe(token));
    expect(refreshes()).toBe(1);
  });

  it('is waited for in the soft window with backgroundRefresh: false', async () => {
    const account = await stage.signedIn({ backgroundRefresh: false });
    const { token } = await account.getAccessToken();
    stage.pass(57 * MINUTE);
    expect((await account.getAccessToken()).token).not.toBe(token);
    expect(refreshes()).toBe(1);
  });

  it('is waited for in its hard window', async () => {
    const { account, token } = await fresh();
    stage.pass(59.5 * MINUTE);
    expect((await account.getAccessToken()).token).not.toBe(token);
    expect(refreshes()).toBe(1);
  });

  it('is waited for when it lasts too short for the caller', async () => {
    const { account, token } = await fresh();
    stage.pass(30 * MINUTE);
    expect((await account.getAccessToken({ minimumLifetimeMs: 20 * MINUTE })).token).toBe(token);
    const longer = await account.getAccessToken({ minimumLifetimeMs: 40 * MINUTE });
    expect(longer.token).not.toBe(token);
    expect(longer.expiresAt - stage.clock.now()).toBeGreaterThan(40 * MINUTE);
  });

  it('that cannot be refreshed is served while it is valid, and never is a sign-out', async () => {
    const { account, token } = await fresh();
    stage.pass(59.5 * MINUTE);
    const fault = stage.authority.faults.add({ endpoint: 'token', status: 503 });
    expect((await account.getAccessToken()).token).toBe(token);
    expect(await account.isAuthenticated()).toBe(true);
    stage.pass(MINUTE);
    expect(await failure(account.getAccessToken())).toMatchObject({ code: 'TOKENRY_REFRESH_FAILED', retryable: true });
    fault.remove();
    expect((await account.getAccessToken()).token).not.toBe(token);
  });

  it('has windows of the account’s own', async () => {
    const account = await stage.signedIn({ softWindowMs: 1_000, hardWindowMs: 500 });
    const { token } = await account.getAccessToken();
    stage.pass(59 * MINUTE);
    expect((await account.getAccessToken()).token).toBe(token);
    expect(() => stage.account(WEB, { softWindowMs: 1, hardWindowMs: 2 })).toThrow(RangeError);
  });

  it('is refreshed when the server wanted it, before its window', async () => {
    await using early = await openAccountStage({ refreshInSeconds: 600 });
    const account = await early.signedIn();
    const { token, refreshAt } = await account.getAccessToken();
    expect(refreshAt).toBeGreaterThan(early.clock.now());
    early.pass(11 * MINUTE);
    expect((await account.getAccessToken()).token).toBe(token);
    await vi.waitFor(async () => expect((await account.getAccessToken()).token).not.toBe(token));
    expect(early.count('refresh_token')).toBe(1);
  });
});

describe('B05: an access token that expired', () => {
  it('is refreshed once however many callers, views and accounts share the record', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const account = await stage.signedIn({ tokenBackend });
    const other = stage.account(WEB, { tokenBackend });
    stage.pass(61 * MINUTE);
    const callers = [account, other, account.forKey('o365_token.txt', {})];
    const tokens = await Promise.all(Array.from({ length: 30 }, (_, at) => callers[at % 3]?.getAccessToken()));
    expect(new Set(tokens.map((result) => result?.token)).size).toBe(1);
    expect(refreshes()).toBe(1);
  });
});

describe('B06: a token of the program itself', () => {
  it('is obtained again each time it expires, over a simulated day', async () => {
    const account = stage.account(WEB, { authFlowType: 'credentials', scopes: [] });
    const tokens = new Set<string>();
    for (let hour = 0; hour < 24; hour++) {
      tokens.add((await account.getAccessToken()).token);
      stage.pass(61 * MINUTE);
    }
    expect(tokens.size).toBe(24);
    expect(stage.count('client_credentials')).toBe(24);
  });
});

describe('B24: a refresh that was asked for', () => {
  it.each([
    ['keepAlive', (account: Account) => account.keepAlive()],
    ['connection.refreshToken', (account: Account) => account.connection.refreshToken()],
    ['forceRefresh', (account: Account) => account.getAccessToken({ forceRefresh: true })],
    ['verify', (account: Account) => account.verify()],
  ])('really spends the refresh token although the access token is valid: %s', async (_name, refresh) => {
    const { account, token } = await fresh();
    await refresh(account);
    expect(refreshes()).toBe(1);
    expect((await account.getAccessToken()).token).not.toBe(token);
  });
});

describe('B25: a refresh token that the server refuses', () => {
  it('means that the person must sign in again, for this account alone', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const account = await stage.signedIn({ tokenBackend });
    await stage.signIn(account, 'ben@contoso.example');
    account.username = ADA;
    stage.pass(61 * MINUTE);
    stage.authority.revokeSessions(ADA);
    const error = await failure(account.getAccessToken());
    expect(InteractionRequiredError.is(error)).toBe(true);
    expect(error).toMatchObject({ reason: 'refused', hint: expect.any(String) });
    expect(await account.isAuthenticated()).toBe(false);
    expect(await account.verify()).toBe(false);
    expect(await account.getAuthenticatedUsernames()).toEqual(['ben@contoso.example']);
    account.username = 'ben@contoso.example';
    expect(await account.verify()).toBe(true);
    await stage.signIn(account, ADA);
    expect(await account.verify()).toBe(true);
  });
});

describe('verify', () => {
  it('does not take an outage for an answer', async () => {
    const { account } = await fresh();
    const fault = stage.authority.faults.add({ endpoint: 'token', status: 503 });
    expect(await failure(account.verify())).toMatchObject({ code: 'TOKENRY_REFRESH_FAILED' });
    fault.remove();
  });
});

describe('a caller that gives up', () => {
  it('ends its own wait; the others get the token', async () => {
    const { account, token } = await fresh();
    const fault = stage.authority.faults.add({ endpoint: 'token', delayMs: 300, times: 1 });
    const controller = new AbortController();
    const impatient = failure(account.getAccessToken({ forceRefresh: true, signal: controller.signal }));
    const patient = account.getAccessToken({ forceRefresh: true });
    controller.abort(new Error('too slow'));
    expect(await impatient).toMatchObject({ message: 'too slow' });
    expect((await patient).token).not.toBe(token);
    expect(refreshes()).toBe(1);
    fault.remove();
  });
});

describe('a claims challenge', () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';

  it('of the API leads to one refresh with these claims and one repeat', async () => {
    const { account } = await fresh();
    const fault = stage.authority.faults.add({ endpoint: 'graph', claims, times: 1 });
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect([fault.hits, refreshes()]).toEqual([1, 1]);
  });

  it('of the caller is answered by a new token', async () => {
    const { account, token } = await fresh();
    expect((await account.getAccessToken({ claims })).token).not.toBe(token);
    expect(refreshes()).toBe(1);
  });

  it('of the token endpoint reaches the caller, to be passed on to the next sign-in', async () => {
    const { account } = await fresh();
    stage.authority.faults.add({ endpoint: 'token', claims, times: 1 });
    const error = await failure(account.keepAlive());
    expect(error).toMatchObject({ code: 'TOKENRY_INTERACTION_REQUIRED', claims });
    const { url } = await account.getAuthorizationUrl({
      redirectUri: 'http://localhost:1/x',
      claims: (error as InteractionRequiredError).claims ?? '',
    });
    expect(new URL(url).searchParams.get('claims')).toBe(claims);
    expect(await account.isAuthenticated()).toBe(true);
  });
});

describe('a 401', () => {
  it('is answered with the token that another process stored meanwhile, without a refresh', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const one = await stage.signedIn({ tokenBackend });
    const two = stage.account(WEB, { tokenBackend: sharing(tokenBackend) });
    const { token } = await two.getAccessToken();
    await one.keepAlive();
    expect((await two.getAccessToken()).token).toBe(token);
    stage.authority.faults.add({ endpoint: 'graph', status: 401, times: 1 });
    expect((await two.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect(refreshes()).toBe(1);
  });
});

/** Another instance on the same records, as another process has. */
function sharing(store: MemoryTokenBackend): MemoryTokenBackend {
  return new (class extends MemoryTokenBackend {
    protected override async readRecord(name: string) {
      const record = await store.records.read(name);
      return record === 'not-modified' ? undefined : record;
    }
    protected override async writeRecord(name: string, data: Uint8Array) {
      return store.records.write(name, data, { expect: 'anything' });
    }
  })({ clock: stage.clock });
}

describe('events', () => {
  it('tell of each refresh, with names and outcomes only', async () => {
    const seen: RefreshEvent[] = [];
    const listener = (event: unknown) => void seen.push(event as RefreshEvent);
    subscribe('tokenry:refresh', listener);
    try {
      const { account } = await fresh();
      await account.keepAlive();
    } finally {
      unsubscribe('tokenry:refresh', listener);
    }
    expect(seen).toEqual([
      expect.objectContaining({ tokenKey: 'o365_token.txt', grantType: 'refresh_token', outcome: 'refreshed' }),
    ]);
  });
});
