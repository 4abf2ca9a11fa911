import { type DevAuthority, type Fault, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADA, authorizationRequest, callApi, refresh, signIn, type TokenAnswer, trust } from './fetch-client.js';

let authority: DevAuthority;
let signedIn: TokenAnswer['body'];

beforeAll(async () => {
  authority = await startDevAuthority({ refreshTokens: 'one-time' });
  trust(authority);
});
beforeEach(async () => {
  signedIn = (await signIn(authority)).body;
});
afterAll(() => authority.close());

const add = (fault: Partial<Fault> = {}) =>
  authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', times: 1, ...fault });
const refreshed = () => refresh(authority, signedIn.refresh_token);
const lastCall = () => authority.calls().at(-1);

describe('faults of the token endpoint', () => {
  it('are in force for the very next request, and count their hits', async () => {
    const fault = add({ error: 'invalid_grant' });
    expect(fault.hits).toBe(0);
    const { status, body } = await refreshed();
    expect([status, body.error, body.suberror, fault.hits]).toEqual([400, 'invalid_grant', undefined, 1]);
    expect([(await refreshed()).status, fault.hits]).toEqual([200, 1]);
  });

  it('leave the refresh token alone', async () => {
    add({ error: 'invalid_grant' });
    await refreshed();
    expect((await refreshed()).status).toBe(200);
  });

  it('carry suberror, AADSTS numbers and claims', async () => {
    add({ error: 'invalid_grant', suberror: 'consent_required', errorCodes: [65001], claims: '{"a":1}' });
    const { body } = await refreshed();
    expect(body).toMatchObject({ error: 'invalid_grant', suberror: 'consent_required', error_codes: [65001], claims: '{"a":1}' });
    expect(body.error_description).toMatch(/^AADSTS65001: /);
  });

  it('throttle with AADSTS50196', async () => {
    add({ error: 'invalid_grant', errorCodes: [50196] });
    expect((await refreshed()).body.error_description).toMatch(/^AADSTS50196: /);
  });

  it('throttle with 429 and Retry-After', async () => {
    add({ retryAfterSeconds: 7 });
    const { status, headers, body } = await refreshed();
    expect([status, headers.get('retry-after'), body.error]).toEqual([429, '7', 'too_many_requests']);
  });

  it('break down with a status of their own', async () => {
    for (const status of [500, 502, 503, 504]) {
      add({ status });
      expect((await refreshed()).status).toBe(status);
    }
    add({ status: 503, retryAfterSeconds: 2 });
    expect((await refreshed()).headers.get('retry-after')).toBe('2');
  });

  it('delay without changing the answer', async () => {
    const fault = add({ delayMs: 30 });
    expect([(await refreshed()).status, fault.hits]).toEqual([200, 1]);
  });

  it('cut the connection before anything happened: the refresh token is still good', async () => {
    add({ reset: 'before' });
    await expect(refreshed()).rejects.toThrow('fetch failed');
    expect(lastCall()).toMatchObject({ outcome: 'reset-before' });
    expect((await refreshed()).status).toBe(200);
  });

  it('cut the connection after the tokens were issued: the refresh token is spent', async () => {
    add({ reset: 'after-commit' });
    await expect(refreshed()).rejects.toThrow('fetch failed');
    expect(lastCall()).toMatchObject({ outcome: 'reset-after-commit', username: ADA });
    expect(lastCall()?.issuedRefreshTokenSha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await refreshed()).body.error).toBe('invalid_grant');
  });

  it('hit only the grant, the client and the number of requests they name', async () => {
    const [password, stranger] = [add({ grantType: 'password', error: 'x' }), add({ clientId: 'stranger', error: 'x' })];
    const later = add({ skip: 1, times: 2, status: 500 });
    const statuses = [];
    for (let count = 0; count < 4; count++) {
      const answer = await refreshed();
      if (answer.status === 200) signedIn = answer.body;
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 500, 500, 200]);
    expect([password.hits, stranger.hits, later.hits]).toEqual([0, 0, 2]);
    for (const fault of [password, stranger]) fault.remove();
  });

  it('end when they are removed', async () => {
    const fault = authority.faults.add({ endpoint: 'token', status: 500 });
    expect([(await refreshed()).status, (await refreshed()).status]).toEqual([500, 500]);
    fault.remove();
    expect([(await refreshed()).status, fault.hits]).toEqual([200, 2]);
  });
});

describe('faults elsewhere', () => {
  it('send the browser back with an error', async () => {
    authority.faults.add({ endpoint: 'authorize', times: 1, error: 'access_denied' });
    const redirected = new URL(await authority.consentAs(ADA)(authorizationRequest(authority, 'openid User.Read')));
    expect([redirected.searchParams.get('error'), redirected.searchParams.get('state')]).toEqual(['access_denied', 'state-1']);
  });

  it('show an error page instead of a sign-in page', async () => {
    authority.faults.add({ endpoint: 'authorize', times: 1, status: 503 });
    await expect(authority.consentAs(ADA)(authorizationRequest(authority, 'openid User.Read'))).rejects.toThrow('answered 503');
  });

  it('fail the start of a device code flow', async () => {
    authority.faults.add({ endpoint: 'devicecode', times: 1, error: 'invalid_request', errorCodes: [90009] });
    const answer = await fetch(`${authority.url}/common/oauth2/v2.0/devicecode`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'client-id', scope: 'openid' }),
    });
    expect([answer.status, ((await answer.json()) as { error_codes: number[] }).error_codes]).toEqual([400, [90009]]);
  });

  it('throttle, break and cut off the API', async () => {
    const call = () => callApi(authority, '/v1.0/me', signedIn.access_token);
    authority.faults.add({ endpoint: 'graph', path: '/me', times: 1, retryAfterSeconds: 3 });
    const throttled = await call();
    expect([throttled.status, throttled.headers.get('retry-after'), await throttled.json()]).toMatchObject([
      429,
      '3',
      { error: { code: 'TooManyRequests' } },
    ]);
    authority.faults.add({ endpoint: 'graph', times: 1, status: 503 });
    expect((await call()).status).toBe(503);
    for (const reset of ['before', 'after-commit'] as const) {
      authority.faults.add({ endpoint: 'graph', times: 1, reset });
      await expect(call()).rejects.toThrow('fetch failed');
    }
    expect((await call()).status).toBe(200);
  });

  it('hit only the API calls of the client that they name', async () => {
    const [own, other] = ['client-id', 'another'].map((clientId) =>
      authority.faults.add({ endpoint: 'graph', clientId, times: 1, status: 503 }),
    );
    const statuses = [
      await callApi(authority, '/v1.0/me', signedIn.access_token),
      await callApi(authority, '/v1.0/me', 'no token'),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([503, 401]);
    expect([own?.hits, other?.hits]).toEqual([1, 0]);
    other?.remove();
  });

  it('challenge the API’s caller for other claims', async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    authority.faults.add({ endpoint: 'graph', times: 1, claims });
    const answer = await callApi(authority, '/v1.0/me', signedIn.access_token);
    const header = answer.headers.get('www-authenticate') ?? '';
    expect([answer.status, /error="insufficient_claims"/.test(header)]).toEqual([401, true]);
    expect(Buffer.from(/claims="([^"]+)"/.exec(header)?.[1] ?? '', 'base64').toString('utf8')).toBe(claims);
  });
});

describe('what could never happen', () => {
  it.each([
    ['an unknown endpoint', { endpoint: 'tokn' }, 'token, authorize, devicecode, graph'],
    ['no endpoint', {}, 'endpoint must be one of'],
    ['a misspelt name', { endpoint: 'token', tims: 1 }, '"tims"'],
    ['an unknown reset', { endpoint: 'token', reset: 'after' }, 'after-commit'],
    ['no object', undefined, 'must be an object'],
    ['a grant type elsewhere', { endpoint: 'graph', grantType: 'refresh_token', status: 500 }, 'grantType'],
    ['a commit that there is not', { endpoint: 'devicecode', reset: 'after-commit' }, 'after-commit'],
    ['no times', { endpoint: 'token', times: 0, status: 500 }, 'times'],
    ['a part of a request', { endpoint: 'token', skip: 0.5, status: 500 }, 'skip'],
  ])('as a fault with %s, is refused', (_what, fault, said) => {
    expect(() => authority.faults.add(fault as Fault)).toThrow(said);
  });

  it('a client or user with a misspelt name is refused, at start and later', async () => {
    const client = { clientId: 'x', clientSecrets: 'secret-TEST-x' };
    const user = { username: 'x@y.example', pasword: 'secret-TEST-x' };
    for (const work of [() => authority.registerClient(client), () => authority.registerUser(user)])
      expect(work).toThrow(/Unknown name "(?:clientSecrets|pasword)"/);
    await expect(startDevAuthority({ clients: [client] })).rejects.toThrow('clientSecrets');
    await expect(startDevAuthority({ users: [user] })).rejects.toThrow('pasword');
  });

  it('a certificate that is none, or a user without a name, is refused, at start and later', async () => {
    const client = { clientId: 'x', certificate: 'no PEM' };
    const user = { username: '' };
    expect(() => authority.registerClient(client)).toThrow(TypeError);
    expect(() => authority.registerUser(user)).toThrow(TypeError);
    await expect(startDevAuthority({ clients: [client] })).rejects.toThrow(TypeError);
    await expect(startDevAuthority({ users: [user] })).rejects.toThrow(TypeError);
  });

  it('ending the sign-ins of somebody who cannot be signed in does nothing', async () => {
    authority.revokeSessions('nobody');
    expect((await refreshed()).status).toBe(200);
  });
});
