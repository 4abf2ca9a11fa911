import tls from 'node:tls';
import type { TokenCredential } from '@azure/core-auth';
import { type AuthenticationProvider, Client, type GraphError } from '@microsoft/microsoft-graph-client';
import { Account } from '@tokenry/core';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let authority: DevAuthority;
let account: Account;

beforeAll(async () => {
  authority = await startDevAuthority();
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.accountOptions.ca]);
  account = new Account(['web-1', 'secret-TEST-web'], {
    ...authority.accountOptions,
    tokenBackend: new MemoryTokenBackend(),
    scopes: ['basic', 'mailbox'],
  });
  await account.authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });
});
afterAll(async () => {
  await account.close();
  await authority.close();
});

describe('the credential for Azure SDKs', () => {
  it('is a TokenCredential of @azure/core-auth', async () => {
    const credential: TokenCredential = account.asTokenCredential();
    const scope = account.protocol.prefixScope('User.Read');
    const token = await credential.getToken(scope, { abortSignal: new AbortController().signal, requestOptions: {} });
    expect(token?.token).toBe((await account.getAccessToken()).token);
    expect(token?.expiresOnTimestamp).toBe((await account.getAccessToken()).expiresAt);
    expect((await credential.getToken([scope]))?.token).toBe(token?.token);
  });

  it('passes claims, tenant and abort on', async () => {
    const credential: TokenCredential = account.asTokenCredential();
    const before = (await account.getAccessToken()).token;
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    const { tenantId } = authority.accountOptions;
    const renewed = await credential.getToken('basic', { claims, tenantId });
    expect(renewed?.token).not.toBe(before);
    const aborted = credential.getToken('basic', { abortSignal: AbortSignal.abort(new Error('enough')) });
    await expect(aborted).rejects.toThrow('enough');
  });
});

describe('the authentication provider for the Graph SDK', () => {
  const client = () => {
    const authProvider: AuthenticationProvider = account.asGraphAuthProvider();
    return Client.initWithMiddleware({
      authProvider,
      baseUrl: `${authority.url}/`,
      customHosts: new Set([new URL(authority.url).hostname]),
    });
  };

  it('lets the real client read, page and fail as it does', async () => {
    expect(await client().api('/me').get()).toMatchObject({ userPrincipalName: 'ada@contoso.example' });
    const page = await client().api('/me/messages').top(2).get();
    expect(page.value).toHaveLength(2);
    const missing = client()
      .api('/users/nobody@nowhere.example')
      .get()
      .catch((error: GraphError) => error.statusCode);
    expect(await missing).toEqual(expect.any(Number));
  });

  it('gives tokens for the scopes that the client names', async () => {
    const token = await account.asGraphAuthProvider().getAccessToken({ scopes: ['Mail.Read'] });
    expect(token).toBe((await account.getAccessToken({ scopes: 'Mail.Read' })).token);
    expect(await account.asGraphAuthProvider().getAccessToken({ scopes: [] })).toBe((await account.getAccessToken()).token);
  });
});
