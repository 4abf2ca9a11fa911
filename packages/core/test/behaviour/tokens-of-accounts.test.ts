import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotAuthenticatedError } from '../../src/errors.js';
import { type AccountStage, ADA, BEN, failure, openAccountStage, WEB } from '../account/stage.js';

/** Cases of the behaviour catalogue that need a whole account; the others are beside the code that they are about. */
let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage();
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

const scpOf = (token: string) =>
  String(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).scp).split(' ');
const audienceOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud;
const memory = () => new MemoryTokenBackend({ clock: stage.clock });

describe('B09: a user name in another case', () => {
  it('is the same person everywhere', async () => {
    const tokenBackend = memory();
    await stage.signedIn({ tokenBackend }, ADA);
    const account = await stage.signedIn({ tokenBackend }, BEN);
    const shouted = ADA.toUpperCase();
    account.username = shouted;
    expect(await account.isAuthenticated()).toBe(true);
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect((await account.getAccounts({ username: shouted })).map(({ username }) => username)).toEqual([ADA]);
    const cache = await tokenBackend.loadToken();
    expect(cache?.getAccount({ username: shouted })?.username).toBe(ADA);
    expect(cache?.getRefreshToken({ username: shouted })?.secret).toMatch(/^rt-TEST-/);
    expect(cache?.tokenIsLongLived({ username: shouted })).toBe(true);
    stage.pass(3_700_000);
    await stage.account(WEB, { tokenBackend, username: shouted }).keepAlive();
    await account.signOut();
    expect((await account.getAccounts()).map(({ username }) => username)).toEqual([BEN]);
  });
});

describe('B13: a token for another API that came first', () => {
  it('is not sent to Graph: tokens are chosen by resource', async () => {
    const tokenBackend = memory();
    const account = stage.account(WEB, { tokenBackend, scopes: 'https://contoso.sharepoint.example/AllSites.Read' });
    await stage.signIn(account);
    const sharePoint = await account.getAccessToken();
    const graph = stage.account(WEB, { tokenBackend, scopes: 'basic' });
    const answer = await graph.connection.get('/me');
    expect(answer.status).toBe(200);
    const own = await graph.getAccessToken();
    expect(own.token).not.toBe(sharePoint.token);
    expect(audienceOf(own.token)).not.toBe(audienceOf(sharePoint.token));
    expect((await account.getAccessToken()).token).toBe(sharePoint.token);
  });
});

describe('B14: a consent that was widened', () => {
  it('the newest token that covers the request is used, and refreshed with all it asks for', async () => {
    const tokenBackend = memory();
    await stage.signedIn({ tokenBackend, scopes: ['basic'] });
    const old = await stage.account(WEB, { tokenBackend, scopes: ['basic'] }).getAccessToken();
    stage.pass(1_000);
    const wide = await stage.signedIn({ tokenBackend, scopes: ['basic', 'mailbox'] });
    const token = (await wide.getAccessToken()).token;
    expect(token).not.toBe(old.token);
    expect(scpOf(token)).toEqual(expect.arrayContaining(['User.Read', 'Mail.Read']));
    const narrow = stage.account(WEB, { tokenBackend, scopes: ['basic'] });
    expect((await narrow.getAccessToken()).token).toBe(token);
    const renewed = await wide.getAccessToken({ forceRefresh: true });
    expect(scpOf(renewed.token)).toEqual(expect.arrayContaining(['User.Read', 'Mail.Read']));
  });
});

describe('B31: two applications that share one default record', () => {
  it('each sees its own accounts only, and neither harms the other', async () => {
    const tokenBackend = memory();
    const first = await stage.signedIn({ tokenBackend }, ADA);
    const second = stage.account(['other-app', 'secret-TEST-other'], { tokenBackend });
    expect(await second.isAuthenticated()).toBe(false);
    expect(await second.getAccounts()).toEqual([]);
    expect(NotAuthenticatedError.is(await failure(second.getAccessToken()))).toBe(true);
    expect(stage.count('refresh_token')).toBe(0);
    await stage.signIn(second, BEN);
    expect((await second.getCurrentUser()).userPrincipalName).toBe(BEN);
    expect((await first.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect(await first.getAuthenticatedUsernames()).toEqual([ADA]);
    await stage.signIn(second, ADA);
    await first.keepAlive();
    expect((await first.getCurrentUser()).userPrincipalName).toBe(ADA);
  });
});

describe('B32: nobody signed in', () => {
  it('fails before anything is sent', async () => {
    const account = stage.account(WEB, {});
    expect(NotAuthenticatedError.is(await failure(account.connection.get('/me')))).toBe(true);
    expect([stage.authority.calls().length, stage.authority.apiCalls().length]).toEqual([0, 0]);
  });
});
