import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuthorizationDeniedError, CapabilityError, InteractionRequiredError } from '../../src/errors.js';
import { loopbackConsent } from '../../src/sign-in/loopback-consent.js';
import { certificate, encryptedKey, modernPfx, otherCertificate, PASSPHRASE, privateKey } from '../entra/certificates.js';
import { clientAssertion } from './assertion.js';
import { type AccountStage, ADA, BEN, failure, openAccountStage, PUBLIC, WEB } from './stage.js';

let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage({
    clients: [
      { clientId: 'daemon-cert', certificate },
      { clientId: 'daemon-secret', clientSecret: ['secret-TEST-old'] },
    ],
    users: [
      { username: ADA, password: 'secret-TEST-ada' },
      { username: BEN, password: 'secret-TEST-ben' },
    ],
  });
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

const me = async (account: { getCurrentUser(): Promise<Record<string, unknown>> }) =>
  (await account.getCurrentUser()).userPrincipalName;

describe('authorization: a confidential client and a person', () => {
  it('signs in with a secret, stores the tokens and makes requests', async () => {
    const account = stage.account(WEB);
    expect(await account.isAuthenticated()).toBe(false);
    const result = await account.authenticate({ handleConsent: stage.authority.consentAs(ADA) });
    expect(result.account).toMatchObject({ username: ADA, tenantId: stage.authority.accountOptions.tenantId });
    expect(result).toMatchObject({ tokenKey: 'o365_token.txt' });
    expect(result.scopes).toContain(account.protocol.prefixScope('User.Read'));
    expect(await account.isAuthenticated()).toBe(true);
    expect(account.username).toBe(ADA);
    expect(await me(account)).toBe(ADA);
    expect(stage.count('authorization_code')).toBe(1);
  });

  it('signs in with a certificate', async () => {
    const credentials = { clientId: 'daemon-cert', clientCertificate: { privateKey, certificate } };
    const account = stage.account(credentials, { authFlowType: 'authorization' });
    await stage.signIn(account);
    expect(await me(account)).toBe(ADA);
  });

  it('refuses to sign anybody in without saying what for', async () => {
    const account = stage.account(WEB, { scopes: [] });
    expect(await failure(account.authenticate({ handleConsent: stage.authority.consentAs(ADA) }))).toMatchObject({
      code: 'TOKENRY_INVALID_ARGUMENT',
    });
  });
});

describe('public: a person on this machine', () => {
  it('signs in by loopback', async () => {
    const account = stage.account(PUBLIC);
    const openBrowser = stage.authority.openBrowserAs(BEN);
    const result = await account.authenticate({ handleConsent: loopbackConsent({ openBrowser }) });
    expect(result.account.username).toBe(BEN);
    expect(await me(account)).toBe(BEN);
  });

  it('signs in by a pasted address', async () => {
    const account = stage.account(PUBLIC);
    await account.authenticate({
      handleConsent: async (request) => `  ${await stage.authority.consentAs(ADA)(request)}\n`,
    });
    expect(await me(account)).toBe(ADA);
  });

  it('keeps a refusal of the person an error with a hint', async () => {
    const account = stage.account(PUBLIC);
    const handleConsent = async ({ url, redirectUri }: { url: string; redirectUri: string }) =>
      `${redirectUri}?error=access_denied&error_description=AADSTS65004%3A+User+declined&state=${new URL(url).searchParams.get('state')}`;
    expect(await failure(account.authenticate({ handleConsent }))).toMatchObject({
      code: 'TOKENRY_AUTHORIZATION_DENIED',
      error: 'access_denied',
      errorCode: '65004',
      hint: expect.any(String),
    });
    expect(await account.isAuthenticated()).toBe(false);
  });
});

describe('credentials: the program itself, without any sign-in', () => {
  const appOnly = async (account: ReturnType<AccountStage['account']>) => {
    const { token, scopes, account: who } = await account.getAccessToken();
    expect(who).toBeUndefined();
    expect(scopes).toEqual([account.protocol.prefixScope('.default')]);
    const again = await account.getAccessToken();
    expect(again.token).toBe(token);
    expect(stage.count('client_credentials')).toBe(1);
    const users = await account.connection.get('/users');
    expect(users.status).toBe(200);
  };

  it.each([
    ['a secret', { clientId: 'daemon-1', clientSecret: 'secret-TEST-daemon' }, 'credentials'],
    ['a PEM certificate', { clientId: 'daemon-cert', clientCertificate: { privateKey, certificate } }, undefined],
    [
      'a certificate with an encrypted key',
      { clientId: 'daemon-cert', clientCertificate: { privateKey: encryptedKey, certificate, passphrase: PASSPHRASE } },
      undefined,
    ],
    ['a PFX', { clientId: 'daemon-cert', clientCertificate: { pfx: modernPfx, passphrase: PASSPHRASE } }, undefined],
    [
      'an async certificate',
      { clientId: 'daemon-cert', clientCertificate: async () => ({ privateKey, certificate }) },
      undefined,
    ],
  ] as const)('gets one token with %s', async (_name, credentials, authFlowType) => {
    await appOnly(stage.account(credentials, { scopes: [], ...(authFlowType ? { authFlowType } : {}) }));
  });

  it('gets one token with an assertion from a callback, which hears the endpoint', async () => {
    const endpoints: string[] = [];
    const callback = async ({ tokenEndpoint }: { tokenEndpoint: string }) => {
      endpoints.push(tokenEndpoint);
      return clientAssertion({ clientId: 'daemon-cert', tokenEndpoint, privateKey, certificate });
    };
    await appOnly(stage.account({ clientId: 'daemon-cert', clientAssertion: callback }, { scopes: [] }));
    expect(new Set(endpoints)).toEqual(
      new Set([`${stage.authority.url}/${stage.authority.accountOptions.tenantId}/oauth2/v2.0/token`]),
    );
  });

  it('takes a rotated secret from its source without a restart', async () => {
    let secret = 'secret-TEST-old';
    const credentials = { clientId: 'daemon-secret', clientSecret: async () => secret };
    const account = stage.account(credentials, { authFlowType: 'credentials', scopes: [] });
    const first = await account.getAccessToken();
    stage.authority.registerClient({ clientId: 'daemon-secret', clientSecret: ['secret-TEST-new'] });
    secret = 'secret-TEST-new';
    const second = await account.getAccessToken({ forceRefresh: true });
    expect(second.token).not.toBe(first.token);
  });

  it('says that the application is at fault when its secret or certificate is wrong', async () => {
    const secret = { clientId: 'daemon-secret', clientSecret: 'secret-TEST-expired' };
    const refused = await failure(stage.account(secret, { authFlowType: 'credentials', scopes: [] }).getAccessToken());
    expect(AuthorizationDeniedError.is(refused)).toBe(true);
    expect(refused).toMatchObject({ error: 'invalid_client', retryable: false, hint: expect.any(String) });
    const mixed = { clientId: 'daemon-cert', clientCertificate: { privateKey, certificate: otherCertificate } };
    expect(await failure(stage.account(mixed, { scopes: [] }).getAccessToken())).toMatchObject({
      code: 'TOKENRY_INVALID_ARGUMENT',
    });
  });

  it('treats authenticate() as "obtain a token", and has no current user', async () => {
    const account = stage.account({ clientId: 'daemon-cert', clientCertificate: { privateKey, certificate } }, { scopes: [] });
    expect(await account.isAuthenticated()).toBe(false);
    expect(await account.authenticate()).toMatchObject({ tokenKey: 'o365_token.txt', account: { homeAccountId: '' } });
    expect(await account.isAuthenticated()).toBe(true);
    expect(CapabilityError.is(await failure(account.getCurrentUser()))).toBe(true);
    expect(CapabilityError.is(await failure(account.signOut()))).toBe(true);
  });

  it('refuses scopes of people before sending anything', async () => {
    const account = stage.account(WEB, { authFlowType: 'credentials', scopes: 'basic' });
    expect(await failure(account.getAccessToken())).toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT' });
    expect(stage.authority.calls()).toEqual([]);
  });
});

describe('password', () => {
  it('signs in with user name and password, and refreshes with the refresh token', async () => {
    const account = stage.account(PUBLIC, { authFlowType: 'password', username: ADA, password: 'secret-TEST-ada' });
    const { account: who } = await account.authenticate();
    expect(who.username).toBe(ADA);
    expect(await me(account)).toBe(ADA);
    await account.keepAlive();
    expect([stage.count('password'), stage.count('refresh_token')]).toEqual([1, 1]);
  });

  it('signs the same person in again', async () => {
    const account = stage.account(PUBLIC, { authFlowType: 'password', username: ADA, password: 'secret-TEST-ada' });
    await account.authenticate();
    expect((await account.authenticate()).account.username).toBe(ADA);
    expect(stage.count('password')).toBe(2);
  });

  it('says what is missing, and that a password is wrong', async () => {
    const bare = stage.account(PUBLIC, { authFlowType: 'password', username: ADA });
    expect(await failure(bare.authenticate())).toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT' });
    const wrong = stage.account(PUBLIC, { authFlowType: 'password', username: ADA, password: 'wrong-secret-TEST-x' });
    expect(await failure(wrong.authenticate())).toMatchObject({ code: 'TOKENRY_AUTHORIZATION_DENIED', error: 'invalid_grant' });
  });
});

describe('a device code', () => {
  it('in two steps is remembered with what was asked for, not with what the account asks for otherwise', async () => {
    const account = stage.account(PUBLIC, { scopes: 'mailbox' });
    const flow = await account.initiateDeviceFlow({ scopes: 'basic' });
    await stage.authority.approveDevice(flow.userCode, ADA);
    await account.acquireTokenByDeviceFlow(JSON.parse(JSON.stringify(flow)));
    const payload = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(payload((await account.getAccessToken({ scopes: 'basic' })).token).scp).toContain('User.Read');
    expect(payload((await account.getAccessToken()).token).scp).toContain('Mail.Read');
  });
});

describe('on behalf of', () => {
  const incoming = async (clientId = 'api-1') => {
    const front = stage.account(PUBLIC, { scopes: `api://${clientId}/access_as_user` });
    await stage.signIn(front);
    return (await front.getAccessToken()).token;
  };

  it('exchanges an incoming token once per person and scopes', async () => {
    const assertion = await incoming();
    const api = stage.account(['api-1', 'secret-TEST-api']);
    const first = await api.acquireTokenOnBehalfOf(assertion, { scopes: 'basic' });
    const [second, third] = await Promise.all([
      api.acquireTokenOnBehalfOf(assertion, { scopes: 'basic' }),
      api.acquireTokenOnBehalfOf(assertion, { scopes: 'basic' }),
    ]);
    expect([second.token, third.token]).toEqual([first.token, first.token]);
    expect(stage.count('urn:ietf:params:oauth:grant-type:jwt-bearer')).toBe(1);
    const payload = JSON.parse(Buffer.from(first.token.split('.')[1] ?? '', 'base64url').toString());
    expect(payload).toMatchObject({ scp: expect.stringContaining('User.Read'), preferred_username: ADA });
  });

  it.each(['common', 'organizations'])('finds the person’s token again under tenantId "%s"', async (tenantId) => {
    const assertion = await incoming();
    const api = stage.account(['api-1', 'secret-TEST-api'], { tenantId });
    const first = await api.acquireTokenOnBehalfOf(assertion, { scopes: 'basic' });
    expect((await api.acquireTokenOnBehalfOf(assertion, { scopes: 'basic' })).token).toBe(first.token);
    expect(stage.count('urn:ietf:params:oauth:grant-type:jwt-bearer')).toBe(1);
  });

  it('works for an application with a certificate, which otherwise asks for itself', async () => {
    const api = stage.account({ clientId: 'daemon-cert', clientCertificate: { privateKey, certificate } }, { scopes: [] });
    const { token } = await api.acquireTokenOnBehalfOf(await incoming('daemon-cert'), { scopes: 'Mail.Read' });
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(payload.scp).toContain('Mail.Read');
  });

  it('passes the server’s demand for interaction on, with its claims', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    const fault = stage.authority.faults.add({
      endpoint: 'token',
      grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      times: 1,
      claims,
    });
    const api = stage.account(['api-1', 'secret-TEST-api']);
    const error = await failure(api.acquireTokenOnBehalfOf(await incoming(), { scopes: 'basic' }));
    expect(InteractionRequiredError.is(error)).toBe(true);
    expect(error).toMatchObject({ claims });
    expect(fault.hits).toBe(1);
  });

  it('takes nothing but a token', async () => {
    expect(await failure(stage.account().acquireTokenOnBehalfOf(''))).toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT' });
  });
});
