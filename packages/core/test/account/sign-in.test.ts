import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../src/account.js';
import { FlowExpiredError, StateMismatchError } from '../../src/errors.js';
import type { DeviceFlow } from '../../src/provider/token-provider.js';
import { deviceCodeConsent } from '../../src/sign-in/device-code-consent.js';
import type { SignInFlow } from '../../src/sign-in/sign-in-flow.js';
import { collect } from '../backend/support/collect.js';
import { type AccountStage, ADA, BEN, failure, openAccountStage, PUBLIC, REDIRECT_URI, WEB } from './stage.js';

let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage();
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

const redirected = (url: string, username = ADA) => stage.authority.consentAs(username)({ url, redirectUri: REDIRECT_URI });

describe('in two steps, for web servers', () => {
  it('finishes in another process: the flow survives JSON, another Account finishes', async () => {
    const tokenBackend = new MemoryTokenBackend();
    const flowKeys = [new Uint8Array(32).fill(7)];
    const first = stage.account(WEB, { tokenBackend, flowKeys });
    const { url, flow } = await first.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    expect(new URL(url).searchParams.get('state')).toBe(flow.id);
    const kept = JSON.parse(JSON.stringify(flow)) as SignInFlow;
    const second = stage.account(WEB, { tokenBackend, flowKeys });
    const result = await second.requestToken(await redirected(url), { flow: kept });
    expect(result.account.username).toBe(ADA);
    expect(await first.isAuthenticated()).toBe(true);
    expect((await first.getCurrentUser()).userPrincipalName).toBe(ADA);
  });

  it('stores the tokens under a key that depends on who signed in', async () => {
    const app = stage.account(WEB);
    const { url, flow } = await app.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    const result = await app.requestToken(new URL(await redirected(url, BEN)), {
      flow,
      tokenKey: ({ account, scopes }) => `user-${account.username}-${scopes.length > 0}`,
    });
    expect(result.tokenKey).toBe(`user-${BEN}-true`);
    expect(await app.isAuthenticated()).toBe(false);
    const user = app.forKey(result.tokenKey);
    expect((await user.getCurrentUser()).userPrincipalName).toBe(BEN);
  });

  it.each([null, '', 42])(
    'does not spend the code for the key %j, nor file the tokens under the default one',
    async (tokenKey) => {
      const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
      const account = stage.account(WEB, { tokenBackend });
      const { url, flow } = await account.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
      const address = await redirected(url);
      const error = await failure(account.requestToken(address, { flow, tokenKey: tokenKey as never }));
      expect(error).toMatchObject({ message: expect.stringContaining('tokenKey'), code: expect.stringMatching(/^TOKENRY_/) });
      expect([stage.count('authorization_code'), await collect(tokenBackend.listKeys())]).toEqual([0, []]);
      expect((await account.requestToken(address, { flow, tokenKey: 'user-42' })).tokenKey).toBe('user-42');
    },
  );

  it.each([
    ['undefined', () => undefined],
    ['nothing', () => ''],
    ['a promise', async () => 'user-42'],
  ])('stores nothing, least of all under the default key, when the function for the key answers %s', async (_what, tokenKey) => {
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const account = stage.account(WEB, { tokenBackend });
    const { url, flow } = await account.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    const redirected = await stage.authority.consentAs(ADA)({ url, redirectUri: REDIRECT_URI });
    const error = await failure(account.requestToken(redirected, { flow, tokenKey: tokenKey as never }));
    expect(error).toMatchObject({ message: expect.stringContaining('tokenKey'), code: expect.stringMatching(/^TOKENRY_/) });
    expect(await collect(tokenBackend.listKeys())).toEqual([]);
    expect(await account.isAuthenticated()).toBe(false);
  });

  it('refuses the redirect of another sign-in, and an old flow', async () => {
    const app = stage.account(WEB);
    const one = await app.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    const two = await app.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    const answer = await redirected(one.url);
    expect(StateMismatchError.is(await failure(app.requestToken(answer, { flow: two.flow })))).toBe(true);
    stage.pass(600_001);
    expect(FlowExpiredError.is(await failure(app.requestToken(answer, { flow: one.flow })))).toBe(true);
  });

  it('passes prompt, hints and more parameters on', async () => {
    const { url } = await stage.account(WEB, { redirectUri: REDIRECT_URI }).getAuthorizationUrl({
      prompt: 'select_account',
      loginHint: ADA,
      domainHint: 'contoso.example',
      extraParameters: { msafed: '0' },
    });
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
      prompt: 'select_account',
      login_hint: ADA,
      domain_hint: 'contoso.example',
      msafed: '0',
      redirect_uri: REDIRECT_URI,
    });
  });

  it('needs to know where to come back to', async () => {
    expect(await failure(stage.account(WEB).getAuthorizationUrl())).toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT' });
  });

  it('stores nothing with storeToken: false', async () => {
    const tokenBackend = new MemoryTokenBackend();
    const app = stage.account(WEB, { tokenBackend });
    const { url, flow } = await app.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    const { account } = await app.requestToken(await redirected(url), { flow, storeToken: false });
    expect(account.username).toBe(ADA);
    expect(await tokenBackend.checkToken()).toBe(false);
  });

  it('leaves the selected account alone with storeToken: false', async () => {
    const app = await stage.signedIn({}, BEN);
    const { url, flow } = await app.getAuthorizationUrl({ redirectUri: REDIRECT_URI });
    await app.requestToken(await redirected(url), { flow, storeToken: false });
    expect((await app.getCurrentUser()).userPrincipalName).toBe(BEN);
  });
});

describe('by device code', () => {
  it('in two steps: another process waits, through JSON', async () => {
    const tokenBackend = new MemoryTokenBackend();
    const first = stage.account(PUBLIC, { tokenBackend });
    const flow = await first.initiateDeviceFlow();
    expect(flow.message).toContain(flow.userCode);
    const second = stage.account(PUBLIC, { tokenBackend });
    await stage.authority.approveDevice(flow.userCode, ADA);
    const result = await second.acquireTokenByDeviceFlow(JSON.parse(JSON.stringify(flow)) as DeviceFlow);
    expect(result.account.username).toBe(ADA);
    expect((await first.getCurrentUser()).userPrincipalName).toBe(ADA);
  });

  it('as a consent handler', async () => {
    const account = stage.account(PUBLIC);
    const show = ({ userCode }: DeviceFlow) => stage.authority.approveDevice(userCode, BEN);
    expect((await account.authenticate({ handleConsent: deviceCodeConsent({ show }) })).account.username).toBe(BEN);
  });

  it('for scopes that only the first step names', async () => {
    const account = stage.account(PUBLIC, { scopes: [] });
    const flow = await account.initiateDeviceFlow({ scopes: 'basic' });
    await stage.authority.approveDevice(flow.userCode, ADA);
    expect((await account.acquireTokenByDeviceFlow(flow)).scopes).toContain(account.protocol.prefixScope('User.Read'));
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
  });

  it('ends with the person’s refusal', async () => {
    const account = stage.account(PUBLIC);
    const show = ({ userCode }: DeviceFlow) => stage.authority.declineDevice(userCode);
    expect(await failure(account.authenticate({ handleConsent: deviceCodeConsent({ show }) }))).toMatchObject({
      code: 'TOKENRY_AUTHORIZATION_DENIED',
    });
  });

  it('ends with the caller’s abort', async () => {
    const account = stage.account(PUBLIC);
    const flow = await account.initiateDeviceFlow();
    const controller = new AbortController();
    const waiting = failure(account.acquireTokenByDeviceFlow(flow, { signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
  });
});

describe('a misspelt option', () => {
  const wrong = { scope: 'basic' } as object;
  it.each<[string, (account: Account) => Promise<unknown>]>([
    ['authenticate', (account) => account.authenticate(wrong)],
    ['getAuthorizationUrl', (account) => account.getAuthorizationUrl(wrong)],
    ['initiateDeviceFlow', (account) => account.initiateDeviceFlow(wrong)],
    ['getAccessToken', (account) => account.getAccessToken(wrong)],
    ['acquireTokenByDeviceFlow', (account) => account.acquireTokenByDeviceFlow({} as DeviceFlow, wrong)],
    ['getAccounts', (account) => account.getAccounts(wrong)],
    ['signOut', (account) => account.signOut(wrong)],
    ['a request', (account) => account.connection.get('/me', wrong)],
    ['acquireTokenOnBehalfOf', (account) => account.acquireTokenOnBehalfOf('x', wrong)],
    ['keepAlive', (account) => account.keepAlive(wrong)],
    ['verify', (account) => account.verify(wrong)],
    ['requestToken', (account) => account.requestToken('x', wrong as never)],
    ['refreshToken', (account) => account.connection.refreshToken(wrong)],
    ['forKey', async (account) => account.forKey('x', wrong)],
    ['deviceCodeConsent', async () => deviceCodeConsent(wrong)],
  ])('of %s is refused with the nearest name', async (_name, call) => {
    const error = await failure(call(stage.account(WEB, { redirectUri: REDIRECT_URI })));
    expect(error).toMatchObject({ code: 'TOKENRY_UNKNOWN_OPTION', message: expect.stringContaining('unknown option "scope"') });
  });
});

describe('claims that are no JSON object', () => {
  it.each<[string, (account: Account, claims: string) => Promise<unknown>]>([
    ['getAccessToken', (account, claims) => account.getAccessToken({ claims })],
    ['authenticate', (account, claims) => account.authenticate({ claims })],
    ['getAuthorizationUrl', (account, claims) => account.getAuthorizationUrl({ claims })],
    ['initiateDeviceFlow', (account, claims) => account.initiateDeviceFlow({ claims })],
    ['the login page', (account, claims) => account.getAuthorizationUrl({ extraParameters: { claims } })],
  ])('are a mistake of the caller of %s, and nothing is sent', async (_name, call) => {
    const account = await stage.signedIn({ redirectUri: REDIRECT_URI });
    stage.authority.forgetCalls();
    for (const claims of ['nonsense', '[]', '"x"', '', 7 as never]) {
      const error = await failure(call(account, claims));
      expect(error).toMatchObject({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' });
      expect(String(error)).not.toContain('nonsense');
    }
    expect(stage.authority.calls()).toEqual([]);
  });
});

describe('claims for the login page', () => {
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1-TEST"}}}';
  it.each([{ claims }, { extraParameters: { claims } }])('are sent again when the code is redeemed: %o', async (wish) => {
    const account = stage.account(WEB, { redirectUri: REDIRECT_URI });
    const { url, flow } = await account.getAuthorizationUrl(wish);
    await account.requestToken(await redirected(url), { flow });
    expect(stage.authority.calls({ grantType: 'authorization_code' })).toMatchObject([
      { claims: expect.stringContaining('c1-TEST') },
    ]);
  });
});

describe('getAccessToken', () => {
  it.each([
    ['null', null],
    ['a minimum lifetime that is no number', { minimumLifetimeMs: '5' }],
    ['a minimum lifetime that is NaN', { minimumLifetimeMs: Number.NaN }],
    ['a minimum lifetime below zero', { minimumLifetimeMs: -1 }],
    ['a tenant without a name', { tenantId: '' }],
  ])('refuses %s', async (_what, options) => {
    const account = await stage.signedIn();
    expect(await failure(account.getAccessToken(options as object))).toMatchObject({ code: expect.stringMatching(/^TOKENRY_/) });
  });
});

describe('authenticate', () => {
  it('takes nothing but a function for its consent handler', async () => {
    const error = await failure(stage.account().authenticate({ handleConsent: 'loopback' as never }));
    expect(error).toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT', message: expect.stringContaining('loopbackConsent()') });
  });
});
