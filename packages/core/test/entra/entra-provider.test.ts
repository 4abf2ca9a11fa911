import { inspect } from 'node:util';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApplicationCredentials } from '../../src/application-credentials.js';
import { StateMismatchError } from '../../src/errors.js';
import { userAssertionHash } from '../../src/provider/assertion-hash.js';
import { TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import { authorize, GRAPH, openStage, recordingSlice, type Stage } from './authority.js';
import { certificate, modernPfx, PASSPHRASE, privateKey } from './certificates.js';

const MAIL = `${GRAPH}Mail.Read`;
const CONFIDENTIAL = ['confidential-1', 'secret-TEST-1'] as const;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    clients: [
      { clientId: 'confidential-1', clientSecret: 'secret-TEST-1', redirectUris: [] },
      { clientId: 'certified-1', certificate },
    ],
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

async function signedIn(credentials: ApplicationCredentials = ['public-1'], scopes: readonly string[] = [MAIL]) {
  const provider = stage.provider(credentials, credentials === CONFIDENTIAL ? { flow: 'authorization' } : {});
  const recorder = recordingSlice();
  const grant = await authorize(stage, provider, { scopes });
  await provider.exchange(grant, recorder.slice, stage.context(scopes));
  return { provider, grant, ...recorder };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('an authorization code', () => {
  it.each([
    ['a public client', ['public-1']],
    ['a client with a secret', CONFIDENTIAL],
  ] as [string, ApplicationCredentials][])('is redeemed by %s, with the raw answer kept', async (_name, credentials) => {
    const { events, answer, provider } = await signedIn(credentials);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      grantType: 'authorization_code',
      scopes: [MAIL],
      clientId: provider.clientId,
      environment: provider.environments[0],
      tenantId: stage.authority.accountOptions.tenantId,
    });
    expect(Math.abs((events[0]?.serverNow ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(answer().refresh_token).toEqual(expect.any(String));
    expect(decodeJwt(answer().id_token ?? '').preferred_username).toBe('ada@contoso.example');
    expect(decodeJwt(answer().access_token ?? '').scp).toContain('Mail.Read');
  });

  it('costs one request: nothing is discovered', async () => {
    stage.requests.length = 0;
    await signedIn();
    expect(stage.requests).toEqual([`/${stage.authority.accountOptions.tenantId}/oauth2/v2.0/token`]);
  });

  it('of another sign-in is refused by its nonce', async () => {
    const provider = stage.provider(['public-1']);
    const grant = await authorize(stage, provider, { scopes: [MAIL] });
    const { slice, events } = recordingSlice();
    const error = await failure(provider.exchange({ ...grant, nonce: 'another' }, slice, stage.context([MAIL])));
    expect(StateMismatchError.is(error)).toBe(true);
    expect(events).toEqual([]);
  });

  it('is refused with a wrong verifier, and the refusal holds no secret', async () => {
    const provider = stage.provider(['public-1']);
    const grant = await authorize(stage, provider, { scopes: [MAIL] });
    const codeVerifier = 'secret-TEST-verifier-that-is-long-enough-for-pkce';
    const error = await failure(provider.exchange({ ...grant, codeVerifier }, recordingSlice().slice, stage.context([MAIL])));
    expect(error).toMatchObject({ name: 'TokenEndpointError', error: 'invalid_grant', status: 400 });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret-TEST');
    expect(JSON.stringify(error)).not.toContain(grant.code);
  });
});

describe('a refresh token', () => {
  it('is spent for other scopes of the same account', async () => {
    const first = await signedIn();
    const { slice, answer, events } = recordingSlice(first.answer().refresh_token);
    const homeAccountId = 'somebody.somewhere';
    const scopes = [`${GRAPH}User.Read`];
    await first.provider.exchange({ grantType: 'refresh_token', homeAccountId }, slice, stage.context(scopes));
    expect(decodeJwt(answer().access_token ?? '').scp).toContain('User.Read');
    expect(events[0]).toMatchObject({ grantType: 'refresh_token', homeAccountId, scopes });
  });

  it('asks the tenant that the request names', async () => {
    const first = await signedIn();
    const { slice } = recordingSlice(first.answer().refresh_token);
    stage.requests.length = 0;
    const tenantId = '22222222-2222-3333-4444-555555555555';
    await failure(
      first.provider.exchange({ grantType: 'refresh_token', homeAccountId: 'a.b' }, slice, stage.context([MAIL], { tenantId })),
    );
    expect(stage.requests).toEqual([`/${tenantId}/oauth2/v2.0/token`]);
  });

  it('that nobody issued is refused as the server put it', async () => {
    const { slice } = recordingSlice('rt-TEST-unknown');
    const error = await failure(
      stage.provider(['public-1']).exchange({ grantType: 'refresh_token', homeAccountId: 'a.b' }, slice, stage.context([MAIL])),
    );
    expect(TokenEndpointError.is(error) && error.error).toBe('invalid_grant');
    expect(JSON.stringify(error)).not.toContain('rt-TEST');
  });
});

describe('client credentials', () => {
  const appScopes = [`${GRAPH}.default`];

  it.each([
    ['a secret', { clientId: 'confidential-1', clientSecret: 'secret-TEST-1' }],
    ['a certificate', { clientId: 'certified-1', clientCertificate: { privateKey, certificate } }],
    [
      'a PFX from an async source',
      { clientId: 'certified-1', clientCertificate: async () => ({ pfx: modernPfx, passphrase: PASSPHRASE }) },
    ],
  ] as [string, ApplicationCredentials][])('work with %s', async (_name, credentials) => {
    const { slice, answer, events } = recordingSlice();
    const provider = stage.provider(credentials, { flow: 'credentials' });
    await provider.exchange({ grantType: 'client_credentials' }, slice, stage.context(appScopes));
    expect(decodeJwt(answer().access_token ?? '').roles).toContain('User.Read.All');
    expect(events[0]).toMatchObject({ grantType: 'client_credentials', scopes: appScopes });
  });

  it('find a rotated secret by themselves', async () => {
    stage.authority.registerClient({ clientId: 'rotating-1', clientSecret: 'secret-TEST-new' });
    const secrets = ['secret-TEST-old', 'secret-TEST-new'];
    const provider = stage.provider(
      { clientId: 'rotating-1', clientSecret: async () => secrets.shift() ?? 'secret-TEST-new' },
      { flow: 'credentials' },
    );
    const { slice, events } = recordingSlice();
    await provider.exchange({ grantType: 'client_credentials' }, slice, stage.context(appScopes));
    expect(events).toHaveLength(1);
    expect(stage.authority.calls({ clientId: 'rotating-1' })).toHaveLength(2);
  });

  it('with a wrong fixed secret are refused once', async () => {
    const before = stage.authority.calls({ clientId: 'confidential-1' }).length;
    const provider = stage.provider(['confidential-1', 'secret-TEST-wrong'], { flow: 'credentials' });
    const error = await failure(
      provider.exchange({ grantType: 'client_credentials' }, recordingSlice().slice, stage.context(appScopes)),
    );
    expect(error).toMatchObject({ error: 'invalid_client', status: 401 });
    expect(stage.authority.calls({ clientId: 'confidential-1' })).toHaveLength(before + 1);
    expect(JSON.stringify(error) + String(error)).not.toContain('secret-TEST');
  });

  it.each(['common', 'organizations', 'consumers'])('need a tenant of their own, not %s', (tenantId) => {
    expect(() => stage.provider(CONFIDENTIAL, { flow: 'credentials', tenantId })).toThrow('needs the tenantId of one tenant');
  });
});

describe('other grants', () => {
  it('a password is exchanged, and a wrong one refused', async () => {
    const provider = stage.provider(['public-1'], { flow: 'password' });
    const grant = { grantType: 'password', username: 'ada@contoso.example', password: 'secret-TEST-password' } as const;
    const { slice, answer, events } = recordingSlice();
    await provider.exchange(grant, slice, stage.context([MAIL]));
    expect(decodeJwt(answer().id_token ?? '').preferred_username).toBe('ada@contoso.example');
    expect(events[0]?.username).toBe('ada@contoso.example');
    const error = await failure(
      provider.exchange({ ...grant, password: 'wrong-TEST' }, recordingSlice().slice, stage.context([MAIL])),
    );
    expect(TokenEndpointError.is(error)).toBe(true);
  });

  it('an incoming token is exchanged on behalf of its user, and filed under its hash', async () => {
    const user = await signedIn(CONFIDENTIAL, ['api://confidential-1/access_as_user']);
    const assertion = user.answer().access_token ?? '';
    const { slice, answer, events } = recordingSlice();
    const grant = { grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion } as const;
    await user.provider.exchange(grant, slice, stage.context([MAIL]));
    expect(events[0]?.userAssertionHash).toBe(userAssertionHash(assertion));
    expect(JSON.stringify(events[0]?.userAssertionHash)).not.toContain(assertion);
    expect(decodeJwt(answer().access_token ?? '').scp).toContain('Mail.Read');
  });

  it('a device code is pending until the person has signed in', async () => {
    const provider = stage.provider(['public-1']);
    const flow = await provider.deviceAuthorization(stage.context([MAIL]));
    expect(flow).toMatchObject({ intervalMs: 1_000, message: expect.stringContaining(flow.userCode) });
    expect(flow.expiresAt).toBeGreaterThan(Date.now());
    const grant = { grantType: 'urn:ietf:params:oauth:grant-type:device_code', deviceCode: flow.deviceCode } as const;
    const pending = await failure(provider.exchange(grant, recordingSlice().slice, stage.context([MAIL])));
    expect(pending).toMatchObject({ error: 'authorization_pending' });
  });
});

describe('a provider', () => {
  it('shows no secret in inspect or JSON, also after a call', async () => {
    const provider = stage.provider(CONFIDENTIAL, { flow: 'credentials' });
    await provider.exchange({ grantType: 'client_credentials' }, recordingSlice().slice, stage.context([`${GRAPH}.default`]));
    const shown = inspect(provider, { showHidden: true, depth: 10 }) + JSON.stringify(provider);
    expect(shown).toContain('confidential-1');
    expect(shown).not.toContain('secret-TEST');
  });

  it.each(['', 'a/b', 'a?b', 'ten ant'])('refuses the tenant %j', (tenantId) => {
    expect(() => stage.provider(['public-1'], { tenantId })).toThrow('tenantId must be');
  });
});

describe('the login and logout pages', () => {
  it('get everything that was asked for, and nothing that was not', async () => {
    const provider = stage.provider(['public-1'], { clientCapabilities: ['cp1'] });
    const request = {
      redirectUri: 'http://localhost:8400',
      state: 's',
      nonce: 'n',
      codeChallenge: 'c',
      prompt: 'select_account',
      loginHint: 'ada@contoso.example',
      domainHint: 'organizations',
      claims: '{"id_token":{"acr":null}}',
      extraParameters: { response_mode: 'form_post', lang: 'de' },
    };
    const url = new URL(await provider.authorizationUrl(request, stage.context([MAIL])));
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'public-1',
      response_type: 'code',
      response_mode: 'form_post',
      redirect_uri: 'http://localhost:8400',
      scope: `${MAIL} openid profile offline_access`,
      state: 's',
      nonce: 'n',
      code_challenge: 'c',
      code_challenge_method: 'S256',
      client_info: '1',
      prompt: 'select_account',
      login_hint: 'ada@contoso.example',
      domain_hint: 'organizations',
      claims: '{"id_token":{"acr":null},"access_token":{"xms_cc":{"values":["cp1"]}}}',
      lang: 'de',
    });
  });

  it('get what python-o365 has as a keyword argument under its protocol name, too', async () => {
    const names = { prompt: 'login', login_hint: 'ada@contoso.example', domain_hint: 'contoso.example' };
    const required = { redirectUri: 'http://localhost:8400', state: 's', nonce: 'n', codeChallenge: 'c' };
    const url = async (more: object, capabilities: readonly string[] = []) => {
      const provider = stage.provider(['public-1'], { clientCapabilities: capabilities });
      return new URL(await provider.authorizationUrl({ ...required, ...more }, stage.context([MAIL]))).searchParams;
    };
    const claims = '{"id_token":{"acr":null}}';
    expect(Object.fromEntries(await url({ extraParameters: { ...names, claims } }))).toMatchObject({ ...names, claims });
    expect((await url({ extraParameters: { claims } }, ['cp1'])).get('claims')).toContain('"acr":null');
    expect((await url({ extraParameters: names, prompt: 'none' })).get('prompt')).toBe('none');
  });

  it('logout leads back where the program says', () => {
    const url = new URL(stage.provider(['public-1']).logoutUrl({ postLogoutRedirectUri: 'https://app.example/?a=b&c' }));
    expect(url.pathname).toBe(`/${stage.authority.accountOptions.tenantId}/oauth2/v2.0/logout`);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe('https://app.example/?a=b&c');
  });
});
