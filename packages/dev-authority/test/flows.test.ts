import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADA, authorizationRequest, claimsOf, REDIRECT_URI, refresh, signIn, tokenRequest, trust } from './fetch-client.js';

const GRAPH_DEFAULT = 'https://graph.microsoft.com/.default';
let authority: DevAuthority;

beforeAll(async () => {
  authority = await startDevAuthority({ users: [{ username: ADA, name: 'Ada Lovelace', password: 'password-TEST-1' }] });
  trust(authority);
});
afterAll(() => authority.close());

describe('metadata', () => {
  it('is served for every tenant segment in the shape of Entra ID', async () => {
    const { tenantId } = authority.accountOptions;
    for (const tenant of [tenantId, 'common', 'organizations']) {
      const answer = await fetch(`${authority.url}/${tenant}/v2.0/.well-known/openid-configuration`);
      expect(await answer.json()).toMatchObject({
        issuer: `${authority.url}/${tenantId}/v2.0`,
        authorization_endpoint: `${authority.url}/${tenant}/oauth2/v2.0/authorize`,
        token_endpoint: `${authority.url}/${tenant}/oauth2/v2.0/token`,
        device_authorization_endpoint: `${authority.url}/${tenant}/oauth2/v2.0/devicecode`,
        end_session_endpoint: `${authority.url}/${tenant}/oauth2/v2.0/logout`,
      });
    }
  });

  it('names the authority itself as the only host of its cloud', async () => {
    const answer = await fetch(`${authority.url}/common/discovery/instance?api-version=1.1`);
    const { host } = new URL(authority.url);
    expect(await answer.json()).toMatchObject({
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    });
  });

  it('publishes the public half of the signing key only', async () => {
    const answer = await fetch(`${authority.url}/common/discovery/v2.0/keys`);
    const { keys } = (await answer.json()) as { keys: Record<string, string>[] };
    expect(keys.map((key) => [key.kty, key.alg, 'd' in key])).toEqual([['RSA', 'RS256', false]]);
  });
});

describe('authorization code with PKCE', () => {
  it('sends the browser back with code and state, and trades the code for tokens', async () => {
    const request = authorizationRequest(authority, 'openid profile offline_access User.Read');
    const redirected = new URL(await authority.consentAs(ADA)(request));
    expect(`${redirected.origin}${redirected.pathname}`).toBe(REDIRECT_URI);
    expect(redirected.searchParams.get('state')).toBe('state-1');
    const { status, body } = await tokenRequest(authority, {
      grant_type: 'authorization_code',
      client_id: 'client-id',
      client_secret: 'secret-TEST-1',
      code: redirected.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.codeVerifier,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3600,
      ext_expires_in: 3600,
      scope: 'openid profile User.Read',
    });
    expect(body.refresh_token).toMatch(/^rt-TEST-/);
    expect(claimsOf(body.id_token)).toMatchObject({
      aud: 'client-id',
      nonce: 'nonce-1',
      preferred_username: ADA,
      name: 'Ada Lovelace',
      ver: '2.0',
    });
  });

  it('names who signed in: client_info, oid and tid agree', async () => {
    const { body } = await signIn(authority);
    const { tenantId } = authority.accountOptions;
    const { oid, tid, iss, sub } = claimsOf(body.id_token);
    expect(JSON.parse(Buffer.from(body.client_info, 'base64url').toString('utf8'))).toEqual({ uid: oid, utid: tenantId });
    expect([tid, iss]).toEqual([tenantId, `${authority.url}/${tenantId}/v2.0`]);
    expect(sub).not.toBe(oid);
  });

  it('refuses a wrong code verifier', async () => {
    const { status, body } = await signIn(authority, { form: { code_verifier: 'x'.repeat(43) } });
    expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_grant', [501481]]);
  });

  it('redeems a code once', async () => {
    const request = authorizationRequest(authority, 'openid User.Read');
    const redirected = new URL(await authority.consentAs(ADA)(request));
    const form = {
      grant_type: 'authorization_code',
      client_id: 'client-id',
      code: redirected.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.codeVerifier,
    };
    expect((await tokenRequest(authority, form)).status).toBe(200);
    const { status, body } = await tokenRequest(authority, form);
    expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_grant', [54005]]);
  });

  it('gives no refresh token to those who did not ask for offline_access', async () => {
    const { body } = await signIn(authority, { scope: 'openid User.Read' });
    expect([body.refresh_token, body.scope]).toEqual([undefined, 'openid User.Read']);
  });

  it('hands form_post answers back as a query', async () => {
    const request = authorizationRequest(authority, 'openid User.Read', { response_mode: 'form_post', state: 'a&b"c' });
    const redirected = new URL(await authority.consentAs(ADA)(request));
    expect(redirected.searchParams.get('state')).toBe('a&b"c');
    expect(redirected.searchParams.get('code')).toMatch(/^[\w-]{20,}$/);
  });

  it('answers with a login_required error when prompt=none finds nobody signed in', async () => {
    const redirected = new URL(
      await authority.consentAs(ADA)(authorizationRequest(authority, 'openid User.Read', { prompt: 'none' })),
    );
    expect(redirected.searchParams.get('error')).toBe('login_required');
  });

  it('accepts every prompt of Entra ID', async () => {
    for (const prompt of ['login', 'consent', 'select_account']) {
      const redirected = new URL(await authority.consentAs(ADA)(authorizationRequest(authority, 'openid User.Read', { prompt })));
      expect(redirected.searchParams.has('code'), prompt).toBe(true);
    }
  });

  it('serves several resources of one sign-in one after the other', async () => {
    const scope = 'openid offline_access https://graph.microsoft.com/User.Read api://middle-tier/access_as_user';
    const { body } = await signIn(authority, { scope, form: { scope: 'api://middle-tier/access_as_user' } });
    expect([claimsOf(body.access_token).aud, body.scope]).toEqual([
      'api://middle-tier',
      'openid api://middle-tier/access_as_user',
    ]);
    const graph = await refresh(authority, body.refresh_token, { scope: 'User.Read' });
    expect(claimsOf(graph.body.access_token).aud).toBe('https://graph.microsoft.com');
  });
});

describe('scopes', () => {
  it('are answered in the form they were asked in', async () => {
    expect((await signIn(authority, { scope: 'openid User.Read Mail.Send' })).body.scope).toBe('openid User.Read Mail.Send');
    const qualified = 'openid email https://graph.microsoft.com/User.Read';
    expect((await signIn(authority, { scope: qualified })).body.scope).toBe(qualified);
  });

  it('expand .default into the permissions of the application', async () => {
    const { body } = await signIn(authority, { scope: `openid ${GRAPH_DEFAULT}` });
    expect(body.scope.split(' ')).toEqual([
      'openid',
      ...['Mail.ReadWrite', 'Mail.Send', 'User.Read', '.default'].map((name) => `https://graph.microsoft.com/${name}`),
    ]);
    expect(claimsOf(body.access_token).scp).toBe('openid Mail.ReadWrite Mail.Send User.Read');
  });

  it('may name the own API host', async () => {
    const { body } = await signIn(authority, { scope: `openid ${authority.url}/User.Read` });
    expect(claimsOf(body.access_token)).toMatchObject({ aud: authority.url, scp: 'openid User.Read' });
  });

  it('of two resources in one token request are refused', async () => {
    const { body: signedIn } = await signIn(authority);
    const { status, body } = await refresh(authority, signedIn.refresh_token, { scope: 'User.Read api://other/x' });
    expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_scope', [28000]]);
  });

  it('that are withheld are missing from the answer and from the token', async () => {
    await using strict = await startDevAuthority({ withheldScopes: ['Mail.Send'] });
    trust(strict);
    const { body } = await signIn(strict, { scope: 'openid offline_access User.Read Mail.Send' });
    expect([body.scope, claimsOf(body.access_token).scp]).toEqual(['openid User.Read', 'openid User.Read']);
    expect((await refresh(strict, body.refresh_token, { scope: 'User.Read Mail.Send' })).body.scope).toBe('User.Read');
  });
});

describe('client credentials', () => {
  const form = { grant_type: 'client_credentials', client_id: 'daemon', client_secret: 'secret-TEST-1', scope: GRAPH_DEFAULT };

  it('give an app-only token with roles and no account', async () => {
    const { status, body } = await tokenRequest(authority, form);
    expect([status, Object.keys(body).sort()]).toEqual([200, ['access_token', 'expires_in', 'ext_expires_in', 'token_type']]);
    expect(claimsOf(body.access_token)).toMatchObject({
      aud: 'https://graph.microsoft.com',
      appid: 'daemon',
      idtyp: 'app',
      tid: authority.accountOptions.tenantId,
      roles: ['User.Read.All', 'Mail.ReadWrite', 'Mail.Send'],
    });
  });

  it('want a .default scope', async () => {
    const { status, body } = await tokenRequest(authority, { ...form, scope: 'https://graph.microsoft.com/User.Read' });
    expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_scope', [1002012]]);
  });

  it('work with HTTP Basic authentication too', async () => {
    const answer = await fetch(`${authority.url}/common/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('daemon:secret-TEST%2F1').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: GRAPH_DEFAULT }),
    });
    expect(answer.status).toBe(200);
  });
});

describe('password', () => {
  const form = {
    grant_type: 'password',
    client_id: 'client-id',
    username: ADA,
    password: 'password-TEST-1',
    scope: 'openid offline_access User.Read',
  };

  it('signs in without a browser', async () => {
    const { body } = await tokenRequest(authority, form);
    expect([claimsOf(body.id_token).preferred_username, body.scope]).toEqual([ADA, 'openid User.Read']);
    expect((await refresh(authority, body.refresh_token)).status).toBe(200);
  });

  it('is refused when wrong, and for what is no user name', async () => {
    for (const changed of [{ password: 'nope' }, { username: 'nobody' }]) {
      const { status, body } = await tokenRequest(authority, { ...form, ...changed });
      expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_grant', [50126]]);
    }
  });
});

describe('on behalf of', () => {
  const exchange = (assertion: string, changes: Record<string, string> = {}) =>
    tokenRequest(authority, {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      client_id: 'middle-tier',
      client_secret: 'secret-TEST-2',
      requested_token_use: 'on_behalf_of',
      scope: 'openid offline_access https://graph.microsoft.com/User.Read',
      assertion,
      ...changes,
    });

  it('trades a token for the middle tier for one of Graph, for the same person', async () => {
    const { body: caller } = await signIn(authority, { scope: 'openid api://middle-tier/access_as_user' });
    const { status, body } = await exchange(caller.access_token);
    expect(status).toBe(200);
    const [own, theirs] = [claimsOf(body.access_token), claimsOf(caller.access_token)];
    expect([own.aud, own.appid, own.oid]).toEqual(['https://graph.microsoft.com', 'middle-tier', theirs.oid]);
    expect(body.refresh_token).toMatch(/^rt-TEST-/);
  });

  it('refuses tokens for somebody else, tokens of applications, and things that are no tokens', async () => {
    const { body: graph } = await signIn(authority);
    const app = await tokenRequest(authority, {
      grant_type: 'client_credentials',
      client_id: 'daemon',
      client_secret: 'secret-TEST-1',
      scope: 'api://middle-tier/.default',
    });
    const answers = await Promise.all([
      exchange(graph.access_token),
      exchange(app.body.access_token),
      exchange('at-TEST-nonsense'),
    ]);
    expect(answers.map(({ status, body }) => [status, body.error, body.error_codes[0]])).toEqual([
      [400, 'invalid_grant', 500131],
      [400, 'invalid_grant', 50013],
      [400, 'invalid_grant', 50013],
    ]);
  });
});

describe('device code', () => {
  const start = async () => {
    const url = `${authority.url}/common/oauth2/v2.0/devicecode`;
    const answer = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'client-id', scope: 'openid offline_access User.Read' }),
    });
    return (await answer.json()) as {
      device_code: string;
      user_code: string;
      interval: number;
      message: string;
      verification_uri: string;
      verification_uri_complete: string;
      expires_in: number;
    };
  };
  const poll = (deviceCode: string) =>
    tokenRequest(authority, {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'client-id',
      device_code: deviceCode,
    });

  it('says where to go and how often to ask', async () => {
    const flow = await start();
    expect(flow).toMatchObject({ interval: 1, expires_in: 900, verification_uri: `${authority.url}/common/oauth2/deviceauth` });
    expect(flow.message).toContain(flow.user_code);
  });

  it('is pending until somebody approves, and then signs that person in once', async () => {
    const flow = await start();
    const pending = await poll(flow.device_code);
    expect([pending.status, pending.body.error, pending.body.error_codes]).toEqual([400, 'authorization_pending', [70016]]);
    await authority.approveDevice(flow.user_code, ADA);
    const { status, body } = await poll(flow.device_code);
    expect([status, body.scope, claimsOf(body.id_token).preferred_username]).toEqual([200, 'openid User.Read', ADA]);
    expect((await refresh(authority, body.refresh_token)).status).toBe(200);
    expect((await poll(flow.device_code)).body.error).toBe('invalid_grant');
  });

  it('asks those who poll too often to slow down', async () => {
    const { device_code: deviceCode } = await start();
    await poll(deviceCode);
    expect((await poll(deviceCode)).body.error).toBe('slow_down');
    authority.advanceClock(1000);
    expect((await poll(deviceCode)).body.error).toBe('authorization_pending');
  });

  it('can be declined, and expires', async () => {
    const [declined, forgotten] = [await start(), await start()];
    await authority.declineDevice(declined.user_code);
    expect((await poll(declined.device_code)).body.error).toBe('access_denied');
    authority.advanceClock(901_000);
    expect((await poll(forgotten.device_code)).body.error).toBe('expired_token');
  });

  it('is approved once, and only with a code that exists', async () => {
    const flow = await start();
    await authority.approveDevice(flow.user_code.toLowerCase(), ADA);
    await expect(authority.approveDevice(flow.user_code, ADA)).rejects.toThrow('used before');
    await expect(authority.approveDevice('NOTACODE', ADA)).rejects.toThrow('does not know this device code');
  });
});

describe('sign-out', () => {
  it('leads back to the application', async () => {
    const answer = await fetch(
      `${authority.url}/common/oauth2/v2.0/logout?post_logout_redirect_uri=${encodeURIComponent(REDIRECT_URI)}`,
      { redirect: 'manual' },
    );
    expect([answer.status, answer.headers.get('location')]).toEqual([303, REDIRECT_URI]);
  });
});
