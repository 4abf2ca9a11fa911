import {
  ConfidentialClientApplication,
  type Configuration,
  CryptoProvider,
  InteractionRequiredAuthError,
  PublicClientApplication,
  ServerError,
} from '@azure/msal-node';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClientCertificate } from './client-certificate.js';
import { ADA, claimsOf, REDIRECT_URI, trust } from './fetch-client.js';

const GRAPH_DEFAULT = ['https://graph.microsoft.com/.default'];
const SCOPES = ['https://graph.microsoft.com/User.Read'];
let authority: DevAuthority;

beforeAll(async () => {
  authority = await startDevAuthority({ clients: [{ clientId: 'strict', clientSecret: 'secret-TEST-strict' }] });
  trust(authority);
});
afterAll(() => authority.close());

/** How core talks to it: the AAD protocol mode, and the authority as a known one. */
function configuration(
  auth: Omit<Configuration['auth'], 'authority'>,
  tenant = authority.accountOptions.tenantId,
): Configuration {
  return { auth: { authority: `${authority.url}/${tenant}`, knownAuthorities: [new URL(authority.url).host], ...auth } };
}

const secretClient = () =>
  new ConfidentialClientApplication(configuration({ clientId: 'client-id', clientSecret: 'secret-TEST-1' }));
const publicClient = (tenant?: string) => new PublicClientApplication(configuration({ clientId: 'client-id' }, tenant));

async function signIn(app: PublicClientApplication | ConfidentialClientApplication, username = ADA, scopes = SCOPES) {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const url = await app.getAuthCodeUrl({
    scopes,
    redirectUri: REDIRECT_URI,
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
    state: 'st',
    nonce: 'n1',
  });
  const redirected = new URL(await authority.consentAs(username)({ url, redirectUri: REDIRECT_URI }));
  const [code, state] = [redirected.searchParams.get('code') ?? '', redirected.searchParams.get('state') ?? ''];
  return app.acquireTokenByCode(
    { code, scopes, redirectUri: REDIRECT_URI, codeVerifier: verifier, state: 'st', nonce: 'n1' },
    { code, state },
  );
}

describe('confidential clients of msal-node', () => {
  it('get app-only tokens with a secret', async () => {
    const app = secretClient();
    const result = await app.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT });
    expect(claimsOf(result?.accessToken ?? '')).toMatchObject({ idtyp: 'app', appid: 'client-id' });
    expect((await app.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT }))?.fromCache).toBe(true);
  });

  it('get them with a certificate, by SHA-256 (PS256) and by SHA-1 thumbprint (RS256)', async () => {
    const { certificate, privateKey, sha256, sha1 } = await makeClientCertificate();
    authority.registerClient({ clientId: 'cert-app', certificate });
    for (const thumbprint of [{ thumbprintSha256: sha256 }, { thumbprint: sha1 }]) {
      const app = new ConfidentialClientApplication(
        configuration({ clientId: 'cert-app', clientCertificate: { ...thumbprint, privateKey, x5c: certificate } }),
      );
      const result = await app.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT });
      expect(claimsOf(result?.accessToken ?? '').appid).toBe('cert-app');
    }
  });

  it('are refused with AADSTS7000215 for a wrong secret', async () => {
    const app = new ConfidentialClientApplication(configuration({ clientId: 'strict', clientSecret: 'secret-TEST-other' }));
    const refused = app.acquireTokenByClientCredential({ scopes: GRAPH_DEFAULT });
    await expect(refused).rejects.toMatchObject({
      errorCode: 'invalid_client',
      errorMessage: expect.stringContaining('AADSTS7000215'),
    });
  });

  it('trade their callers’ tokens on behalf of them', async () => {
    const { accessToken } = await signIn(publicClient(), ADA, ['api://middle-tier/access_as_user']);
    const app = new ConfidentialClientApplication(configuration({ clientId: 'middle-tier', clientSecret: 'secret-TEST-1' }));
    const result = await app.acquireTokenOnBehalfOf({ oboAssertion: accessToken, scopes: SCOPES });
    expect([result?.account?.username, claimsOf(result?.accessToken ?? '').appid]).toEqual([ADA, 'middle-tier']);
  });
});

describe.each(['public', 'confidential'])('a %s client of msal-node', (kind) => {
  const make = () => (kind === 'public' ? publicClient() : secretClient());

  it('signs in with a code, and gets an account made of oid and tid', async () => {
    const { account, scopes, accessToken } = await signIn(make());
    const { oid, tid } = claimsOf(accessToken);
    expect(account).toMatchObject({
      homeAccountId: [oid, tid].join('.'),
      tenantId: tid,
      localAccountId: oid,
      username: ADA,
      environment: new URL(authority.url).host,
    });
    expect(scopes.toSorted()).toEqual(['https://graph.microsoft.com/User.Read', 'openid', 'profile']);
  });

  it('is served silently from its cache, and refreshes when told to', async () => {
    const app = make();
    const { account, accessToken } = await signIn(app);
    if (!account) throw new Error('no account');
    expect(await app.acquireTokenSilent({ account, scopes: SCOPES })).toMatchObject({ fromCache: true, accessToken });
    const refreshed = await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
    expect([refreshed.fromCache, refreshed.accessToken === accessToken]).toEqual([false, false]);
    const mail = await app.acquireTokenSilent({ account, scopes: ['https://graph.microsoft.com/Mail.Read'] });
    expect(claimsOf(mail.accessToken).scp).toContain('Mail.Read');
  });
});

describe('public clients of msal-node', () => {
  it('sign in with a device code', async () => {
    const result = await publicClient().acquireTokenByDeviceCode({
      scopes: SCOPES,
      deviceCodeCallback: ({ userCode, message }) => {
        expect(message).toContain(userCode);
        void authority.approveDevice(userCode, ADA);
      },
    });
    expect(result?.account?.username).toBe(ADA);
  });

  it('sign in with a password', async () => {
    const result = await publicClient().acquireTokenByUsernamePassword({
      scopes: SCOPES,
      username: ADA,
      password: 'password-TEST-1',
    });
    expect(result?.account?.username).toBe(ADA);
  });

  it('sign in interactively through a browser that is a script', async () => {
    const result = await publicClient().acquireTokenInteractive({ scopes: SCOPES, openBrowser: authority.openBrowserAs(ADA) });
    expect(result.account?.username).toBe(ADA);
  });

  it('may use the organizations endpoint', async () => {
    expect((await signIn(publicClient('organizations'))).tenantId).toBe(authority.accountOptions.tenantId);
  });

  it('need no network for metadata when they are given it', async () => {
    const tenant = authority.accountOptions.tenantId;
    const [metadata, discovery] = await Promise.all(
      [`${tenant}/v2.0/.well-known/openid-configuration`, 'common/discovery/instance'].map(async (path) =>
        (await fetch(`${authority.url}/${path}`)).text(),
      ),
    );
    const app = new PublicClientApplication(
      configuration({ clientId: 'client-id', authorityMetadata: metadata ?? '', cloudDiscoveryMetadata: discovery ?? '' }),
    );
    expect((await signIn(app)).account?.username).toBe(ADA);
  });

  it('see a guest under the home account, with the ids of this tenant', async () => {
    authority.registerUser({
      username: 'guest@fabrikam.example',
      guest: { homeTenantId: '99999999-8888-7777-6666-555555555555', homeOid: '88888888-7777-6666-5555-444444444444' },
    });
    const { account, accessToken } = await signIn(publicClient(), 'guest@fabrikam.example');
    expect(account?.homeAccountId).toBe('88888888-7777-6666-5555-444444444444.99999999-8888-7777-6666-555555555555');
    expect([account?.localAccountId, account?.tenantId]).toEqual([claimsOf(accessToken).oid, authority.accountOptions.tenantId]);
    expect(account?.localAccountId).not.toBe('88888888-7777-6666-5555-444444444444');
  });

  it('ask another tenant with the same refresh token', async () => {
    const app = publicClient();
    const { account } = await signIn(app);
    if (!account) throw new Error('no account');
    const other = '77777777-6666-5555-4444-333333333333';
    const result = await app.acquireTokenSilent({
      account,
      scopes: SCOPES,
      authority: `${authority.url}/${other}`,
      forceRefresh: true,
    });
    expect(claimsOf(result.accessToken)).toMatchObject({ tid: other, iss: `${authority.url}/${other}/v2.0` });
  });

  it('tell refusals with a suberror from those without', async () => {
    const app = publicClient();
    const { account } = await signIn(app);
    if (!account) throw new Error('no account');
    const silent = () => app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
    authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', times: 1, error: 'invalid_grant' });
    await expect(silent()).rejects.toBeInstanceOf(ServerError);
    authority.faults.add({
      endpoint: 'token',
      grantType: 'refresh_token',
      times: 1,
      error: 'invalid_grant',
      suberror: 'bad_token',
      errorCodes: [70000],
    });
    await expect(silent()).rejects.toBeInstanceOf(InteractionRequiredAuthError);
  });

  it('receive the claims of a challenge', async () => {
    const app = publicClient();
    const { account } = await signIn(app);
    if (!account) throw new Error('no account');
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    authority.faults.add({
      endpoint: 'token',
      grantType: 'refresh_token',
      times: 1,
      error: 'interaction_required',
      suberror: 'basic_action',
      errorCodes: [50076],
      claims,
    });
    const refused = app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
    await expect(refused).rejects.toMatchObject({ errorCode: 'interaction_required', subError: 'basic_action', claims });
  });
});
