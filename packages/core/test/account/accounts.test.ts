import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AmbiguousAccountError, NotAuthenticatedError } from '../../src/errors.js';
import { Protocol } from '../../src/protocol/protocol.js';
import { AsyncStore } from '../backend/support/async-store.js';
import { StoreBackend } from '../backend/support/store-backend.js';
import { startServer } from '../http/local-server.js';
import { type AccountStage, ADA, BEN, failure, GWEN, openAccountStage, PUBLIC, WEB } from './stage.js';

let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage();
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const me = async (account: ReturnType<AccountStage['account']>) => (await account.getCurrentUser()).userPrincipalName;

async function adaAndBen() {
  const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
  const account = await stage.signedIn({ tokenBackend }, ADA);
  await stage.signIn(account, BEN);
  return { tokenBackend, account };
}

describe('several accounts in one record', () => {
  it('the one who signed in last is selected, and the others stay', async () => {
    const { account } = await adaAndBen();
    expect(account.username).toBe(BEN);
    expect(await me(account)).toBe(BEN);
    expect((await account.getAccounts()).map(({ username }) => username).sort()).toEqual([ADA, BEN]);
    expect([...(await account.getAuthenticatedUsernames())].sort()).toEqual([ADA, BEN]);
  });

  it('nobody is guessed where none was chosen', async () => {
    const { tokenBackend } = await adaAndBen();
    const account = stage.account(WEB, { tokenBackend });
    const error = await failure(account.getAccessToken());
    expect(AmbiguousAccountError.is(error)).toBe(true);
    expect((error as AmbiguousAccountError).homeAccountIds).toHaveLength(2);
    expect(AmbiguousAccountError.is(await failure(account.isAuthenticated()))).toBe(true);
  });

  it('are chosen by home account id or user name, in options, views and later', async () => {
    const { tokenBackend, account } = await adaAndBen();
    const [ada] = await account.getAccounts({ username: ADA.toUpperCase() });
    expect(ada?.username).toBe(ADA);
    const homeAccountId = ada?.homeAccountId ?? '';
    expect(await me(stage.account(WEB, { tokenBackend, homeAccountId }))).toBe(ADA);
    expect(await me(stage.account(WEB, { tokenBackend, username: 'ADA@Contoso.Example' }))).toBe(ADA);
    expect(await me(account.forKey('o365_token.txt', { homeAccountId }))).toBe(ADA);
    expect(await me(account.forKey('o365_token.txt', { username: BEN }))).toBe(BEN);
    account.username = ADA;
    expect(await me(account)).toBe(ADA);
  });

  it('a name that is set stays chosen when another account joins', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    await stage.signedIn({ tokenBackend }, ADA);
    const account = stage.account(WEB, { tokenBackend });
    await account.getAccessToken();
    account.username = ADA;
    await stage.signedIn({ tokenBackend }, BEN);
    expect(await me(account)).toBe(ADA);
  });

  it('a choice can be taken back', async () => {
    const { account } = await adaAndBen();
    account.username = undefined;
    expect(AmbiguousAccountError.is(await failure(account.getAccessToken()))).toBe(true);
  });

  it('B08: a guest who signs in is the one selected', async () => {
    const { account } = await adaAndBen();
    await stage.signIn(account, GWEN);
    expect(await me(account)).toBe(GWEN);
  });

  it('somebody who is not there is named in the error', async () => {
    const { account } = await adaAndBen();
    account.username = 'nobody@contoso.example';
    const error = await failure(account.getAccessToken());
    expect(NotAuthenticatedError.is(error)).toBe(true);
    expect((error as Error).message).toContain('nobody@contoso.example');
    expect(await account.isAuthenticated()).toBe(false);
  });

  it('refuses a name that is none', async () => {
    const { account } = await adaAndBen();
    expect(() => {
      account.username = '';
    }).toThrow(TypeError);
  });
});

describe('B07: switching to an account whose access token expired', () => {
  it('refreshes silently with its refresh token', async () => {
    const { account } = await adaAndBen();
    stage.pass(3_700_000);
    account.username = ADA;
    expect(await me(account)).toBe(ADA);
    expect([stage.count('refresh_token'), stage.count('authorization_code')]).toEqual([1, 2]);
  });
});

describe('programs that share one backend', () => {
  it('B31: get tokens of their own application, though they ask for the same', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    for (const credentials of [WEB, PUBLIC]) await stage.signIn(stage.account(credentials, { tokenBackend }));
    const tokens = [WEB, PUBLIC].map((credentials) => stage.account(credentials, { tokenBackend }).getAccessToken());
    expect((await Promise.all(tokens)).map(({ token }) => claims(token).appid)).toEqual(['web-1', 'public-1']);
    expect(stage.count('refresh_token')).toBe(0);
  });

  it('get tokens of their own tenant', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const tenants = [stage.authority.accountOptions.tenantId, '77777777-6666-5555-4444-333333333333'];
    const daemon = (tenantId: string) => stage.account(WEB, { tokenBackend, tenantId, authFlowType: 'credentials', scopes: [] });
    for (const tenantId of tenants) await daemon(tenantId).getAccessToken();
    const found: unknown[] = [];
    for (const tenantId of tenants) found.push(claims((await daemon(tenantId).getAccessToken()).token).tid);
    expect(found).toEqual(tenants);
  });

  it('get tokens for their own API, though it has the same short scopes', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const graph = await stage.signedIn({ tokenBackend, scopes: 'User.Read' });
    const protocol = new Protocol({ protocolUrl: 'https://localhost:1/', apiVersion: 'v1', scopePrefix: 'api://api-1/' });
    const other = stage.account(WEB, { tokenBackend, scopes: 'User.Read', protocol });
    const { token } = await graph.getAccessToken();
    const [answer] = await Promise.allSettled([other.getAccessToken()]);
    expect(answer).not.toMatchObject({ value: { token } });
  });
});

describe('a program whose memory is older than the store', () => {
  it('finds who has signed in elsewhere since', async () => {
    const store = new AsyncStore();
    const account = () => stage.account(WEB, { tokenBackend: new StoreBackend({ store, clock: stage.clock }) });
    const there = account();
    await stage.signIn(there);
    await there.signOut();
    // A memory each: what one question finds would otherwise answer the next.
    const [first, second, third] = [account(), account(), account()];
    const seen = () => Promise.all([first.isAuthenticated(), second.getAccounts(), third.getAuthenticatedUsernames()]);
    expect(await seen()).toEqual([false, [], []]);
    await stage.signIn(there);
    expect(await seen()).toMatchObject([true, [{ username: ADA }], [ADA]]);
  });
});

describe('a request that is under way while another account is chosen', () => {
  it('is repeated after a 401, and redirected, as the account it was begun for', async () => {
    const { tokenBackend } = await adaAndBen();
    const answers = [401, 307, 200];
    const server = await startServer((response, _request, index) => {
      account.username = ADA;
      response.writeHead(answers[index] ?? 500, { location: '/elsewhere' }).end('{}');
    });
    const account = stage.account(WEB, { tokenBackend, username: BEN, allowedHosts: [server.host] });
    await account.fetch(`${server.origin}/me`, { method: 'POST', body: 'x' });
    const tokens = server.received.map(({ headers }) => headers.authorization ?? '');
    expect(tokens.map((token) => claims(token).preferred_username)).toEqual([BEN, BEN, BEN]);
    expect(new Set(tokens).size).toBe(2);
    expect(await me(account)).toBe(ADA);
  });
});

describe('views of other records', () => {
  it('share one engine and keep accounts apart', async () => {
    const app = stage.account();
    for (const username of [ADA, BEN]) await stage.signIn(app.forKey(`user/${username}`), username);
    expect(await me(app.forKey(`user/${ADA}`))).toBe(ADA);
    expect(await me(app.forKey(`user/${BEN}`))).toBe(BEN);
    expect(await app.isAuthenticated()).toBe(false);
    expect(NotAuthenticatedError.is(await failure(app.getAccessToken()))).toBe(true);
  });

  it('of equal key join one refresh', async () => {
    const app = stage.account();
    await stage.signIn(app.forKey('shared'));
    await Promise.all(Array.from({ length: 8 }, () => app.forKey('shared').getAccessToken({ forceRefresh: true })));
    expect(stage.count('refresh_token')).toBe(1);
  });

  it('refuse keys and options that cannot be', () => {
    const app = stage.account();
    expect(() => app.forKey('')).toThrow(expect.objectContaining({ code: expect.stringMatching(/^TOKENRY_/) }));
    expect(() => app.forKey('x'.repeat(257))).toThrow(expect.objectContaining({ code: expect.stringMatching(/^TOKENRY_/) }));
    expect(() => app.forKey('x', { usernme: ADA } as object)).toThrow(/did you mean "username"/);
  });
});

describe('signing out', () => {
  it('removes the account alone, and says where the browser signs out', async () => {
    const { account, tokenBackend } = await adaAndBen();
    const { logoutUrl } = await account.signOut({ postLogoutRedirectUri: 'https://app.example/' });
    const url = new URL(logoutUrl ?? '');
    expect(url.origin).toBe(stage.authority.url);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe('https://app.example/');
    const stored = await tokenBackend.loadToken({ fresh: true });
    expect(stored?.getAccounts().map(({ username }) => username)).toEqual([ADA]);
    expect(await account.isAuthenticated()).toBe(false);
    expect(stored?.serialize()).not.toContain(BEN);
  });

  it('is seen by every other instance at its next refresh', async () => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const here = await stage.signedIn({ tokenBackend });
    const there = stage.account(WEB, { tokenBackend });
    await there.getAccessToken();
    await here.signOut();
    expect(await failure(there.getAccessToken({ forceRefresh: true }))).toMatchObject({ code: 'TOKENRY_ACCOUNT_REMOVED' });
    expect(await failure(there.getAccessToken())).toMatchObject({ reason: 'removed' });
    expect(await there.isAuthenticated()).toBe(false);
    expect(stage.count('refresh_token')).toBe(0);
  });

  it('twice is as good as once', async () => {
    const account = await stage.signedIn();
    await account.signOut();
    expect(await account.signOut()).toMatchObject({ logoutUrl: expect.stringContaining('logout') });
  });
});

describe('resources', () => {
  it('resolve shorthands below the service URL', () => {
    const account = stage.account();
    const base = account.protocol.serviceUrl;
    expect([
      account.resourceUrl('messages'),
      account.resourceUrl('messages', 'user:ada@contoso.example'),
      account.resourceUrl('messages', 'ben@contoso.example'),
      account.resourceUrl('calendar', 'group:g-1'),
      account.resourceUrl('drive', 'site:contoso.example:/teams/hr'),
      account.resourceUrl('users', ''),
    ]).toEqual([
      `${base}me/messages`,
      `${base}users/ada@contoso.example/messages`,
      `${base}users/ben@contoso.example/messages`,
      `${base}groups/g-1/calendar`,
      `${base}sites/contoso.example:/teams/hr/drive`,
      `${base}users`,
    ]);
  });

  it('default to mainResource, and to none for an application', () => {
    const base = stage.account().protocol.serviceUrl;
    expect(stage.account(WEB, { mainResource: 'user:x@y.z' }).resourceUrl('events')).toBe(`${base}users/x@y.z/events`);
    expect(stage.account(WEB, { authFlowType: 'credentials', scopes: [] }).resourceUrl('users')).toBe(`${base}users`);
  });
});
