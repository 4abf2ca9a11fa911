import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bearerAuth,
  O365InteractiveCredentials,
  OAuth2AuthorizationCodeCredentials,
  OAuth2Credentials,
  OAuth2LegacyCredentials,
} from '@tokenry/autodiscover';
import { Account } from '@tokenry/core';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let authority: DevAuthority;
let folder: string;
beforeAll(async () => {
  authority = await startDevAuthority({
    refreshTokens: 'one-time',
    users: [{ username: 'ada@contoso.example', password: 'secret-TEST-password' }],
  });
  folder = await mkdtemp(join(tmpdir(), 'exchange-credentials-'));
});
afterAll(async () => {
  await authority.close();
  await rm(folder, { recursive: true, force: true });
});

const common = () => {
  const { cloud, ca, tenantId } = authority.accountOptions;
  return { clientId: 'client-id', cloud, tenantId, accountOptions: { ca } };
};
const app = (more: object = {}) => new OAuth2Credentials({ ...common(), clientSecret: 'secret-TEST-client', ...more });
const calls = (grantType: string) => authority.calls({ grantType }).length;

describe('credentials whose tokens an Account keeps', () => {
  it.each([
    ['memory', () => new MemoryTokenBackend()],
    ['files', () => new FileSystemTokenBackend({ tokenPath: folder })],
  ])('a hundred callers on %s cost one token call, and the callback hears of it once', async (_name, createBackend) => {
    const before = calls('client_credentials');
    const tokenBackend = createBackend();
    const heard: unknown[] = [];
    class Heard extends OAuth2Credentials {
      override onTokenAutoRefreshed(token: Parameters<OAuth2Credentials['onTokenAutoRefreshed']>[0]) {
        super.onTokenAutoRefreshed(token);
        heard.push(token.access_token);
      }
    }
    const credentials = new Heard({ ...common(), clientSecret: 'secret-TEST-client', tokenBackend });
    const tokens = await Promise.all(Array.from({ length: 100 }, () => credentials.getAccessToken()));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
    expect(calls('client_credentials') - before).toBe(1);
    expect(heard).toEqual([tokens[0]?.token]);
    // Another object with the same names on the same backend adopts the token.
    const other = app({ tokenBackend });
    expect((await other.getAccessToken()).token).toBe(tokens[0]?.token);
    expect(calls('client_credentials') - before).toBe(1);
    await Promise.all([credentials.account.close(), other.account.close()]);
  });

  it('a program without a tenant is told so before anything is sent', async () => {
    const before = calls('client_credentials');
    await expect(app({ tenantId: undefined }).getAccessToken()).rejects.toThrow('set tenantId to its id or domain');
    expect(calls('client_credentials')).toBe(before);
  });

  it('toApplicationCredentials and toAccountOptions make an Account of one’s own', async () => {
    const credentials = app();
    const account = new Account(credentials.toApplicationCredentials(), {
      ...credentials.toAccountOptions(),
      tokenBackend: new MemoryTokenBackend(),
    });
    expect((await account.getAccessToken()).token).toMatch(/./);
    await account.close();
  });

  it('user name and password are exchanged once; afterwards the refresh token serves', async () => {
    const tokenBackend = new MemoryTokenBackend();
    const credentials = new OAuth2LegacyCredentials({
      ...common(),
      username: 'ada@contoso.example',
      password: 'secret-TEST-password',
      tokenBackend,
    });
    const first = await credentials.getAccessToken();
    const second = await credentials.getAccessToken({ forceRefresh: true });
    expect(second.token).not.toBe(first.token);
    expect([calls('password'), calls('refresh_token')]).toEqual([1, 1]);
    await credentials.account.close();
  });

  it('a code is spent once, and its refresh token lives in the backend', async () => {
    const before = calls('refresh_token');
    const tokenBackend = new MemoryTokenBackend();
    const { authorizationCode, redirectUri, codeVerifier } = await signInForCode();
    const credentials = new OAuth2AuthorizationCodeCredentials({
      ...common(),
      authorizationCode,
      redirectUri,
      codeVerifier,
      tokenBackend,
    });
    const first = await credentials.getAccessToken();
    expect((await credentials.getAccessToken()).token).toBe(first.token);
    expect(calls('authorization_code')).toBe(1);
    const refreshed = await credentials.getAccessToken({ forceRefresh: true });
    expect(refreshed.token).not.toBe(first.token);
    expect(calls('refresh_token') - before).toBe(1);
    await credentials.account.close();
  });

  it('a code that the server refuses is an AuthorizationDeniedError without the code', async () => {
    const credentials = new OAuth2AuthorizationCodeCredentials({
      ...common(),
      authorizationCode: 'secret-TEST-code',
      redirectUri: 'http://localhost/x',
    });
    const error = await credentials.getAccessToken().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TOKENRY_AUTHORIZATION_DENIED' });
    expect(String(error)).not.toContain('secret-TEST');
    await credentials.account.close();
  });

  it('a person signs in once with a browser; later calls refresh', async () => {
    const credentials = new O365InteractiveCredentials({
      ...common(),
      username: 'ada@contoso.example',
      handleConsent: authority.consentAs('ada@contoso.example'),
      accountOptions: { ...common().accountOptions, redirectUri: 'http://localhost/callback' },
    });
    const before = calls('authorization_code');
    const first = await credentials.getAccessToken();
    expect((await credentials.getAccessToken()).token).toBe(first.token);
    expect(calls('authorization_code') - before).toBe(1);
    await credentials.account.close();
  });

  it('bearerAuth asks for a fresh token after a 401, once', async () => {
    const asked: unknown[] = [];
    const scheme = bearerAuth({
      getAccessToken: async (request) => ({ token: `at-TEST-${asked.push(request)}` }),
    });
    const url = new URL('https://outlook.office365.com/EWS/Exchange.asmx');
    expect(await scheme.authorize({ url, round: 1 })).toBe('Bearer at-TEST-1');
    const claims = Buffer.from('{"access_token":{}}').toString('base64');
    expect(await scheme.authorize({ url, round: 2, challenge: { scheme: 'Bearer', parameters: { claims } } })).toBe(
      'Bearer at-TEST-2',
    );
    expect(asked[1]).toMatchObject({ forceRefresh: true, claims: '{"access_token":{}}' });
    expect(await scheme.authorize({ url, round: 3 })).toBeUndefined();
  });
});

/** What a program that runs the sign-in itself would have in hand. */
async function signInForCode() {
  const redirectUri = 'http://localhost/callback';
  const codeVerifier = 'v'.repeat(43);
  const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(codeVerifier))).toString('base64url');
  const { cloud, tenantId } = authority.accountOptions;
  const url = new URL(`${cloud.authority}/${tenantId}/oauth2/v2.0/authorize`);
  url.search = String(
    new URLSearchParams({
      client_id: 'client-id',
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'https://outlook.office365.com/.default offline_access openid profile',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 'state',
    }),
  );
  const redirected = await authority.consentAs('ada@contoso.example')({ url: url.href, redirectUri });
  return { redirectUri, codeVerifier, authorizationCode: new URL(redirected).searchParams.get('code') ?? '' };
}
