import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADA, callApi, claimsOf, signIn, tokenRequest, trust } from './fetch-client.js';

let authority: DevAuthority;
let token: string;

beforeAll(async () => {
  authority = await startDevAuthority();
  trust(authority);
  token = (await signIn(authority, { scope: 'openid User.Read Mail.ReadWrite Mail.Send' })).body.access_token;
});
afterAll(() => authority.close());

const tokenFor = async (scope: string) => (await signIn(authority, { scope })).body.access_token;
const appToken = async () => {
  const form = {
    grant_type: 'client_credentials',
    client_id: 'daemon',
    client_secret: 'secret-TEST-1',
    scope: 'https://graph.microsoft.com/.default',
  };
  return (await tokenRequest(authority, form)).body.access_token;
};

describe('the API', () => {
  it('knows who calls, in both versions', async () => {
    for (const version of ['v1.0', 'beta']) {
      const answer = await callApi(authority, `/${version}/me`, token);
      expect(await answer.json()).toEqual({
        id: claimsOf(token).oid,
        displayName: 'Ada Lovelace',
        userPrincipalName: ADA,
        mail: ADA,
      });
    }
  });

  it('accepts tokens for its own address too', async () => {
    const own = await tokenFor(`openid ${authority.url}/User.Read`);
    expect((await callApi(authority, '/v1.0/me', own)).status).toBe(200);
  });

  it('lists messages page by page', async () => {
    const first = (await (await callApi(authority, '/v1.0/me/messages?$top=3', token)).json()) as {
      value: { id: string }[];
      '@odata.nextLink': string;
    };
    const rest = (await (
      await callApi(authority, first['@odata.nextLink'].slice(authority.url.length), token)
    ).json()) as typeof first;
    expect([first.value.length, rest.value.length, rest['@odata.nextLink']]).toEqual([3, 2, undefined]);
  });

  it('keeps what is posted', async () => {
    const json = { 'content-type': 'application/json' };
    const draft = await callApi(authority, '/v1.0/me/messages', token, {
      method: 'POST',
      headers: json,
      body: '{"subject":"A draft"}',
    });
    const sent = await callApi(authority, '/v1.0/me/sendMail', token, {
      method: 'POST',
      headers: json,
      body: '{"message":{"subject":"Sent"}}',
    });
    expect([draft.status, sent.status]).toEqual([201, 202]);
    const { value } = (await (await callApi(authority, '/v1.0/me/messages?$top=2', token)).json()) as {
      value: { subject: string }[];
    };
    expect(value.map(({ subject }) => subject)).toEqual(['Sent', 'A draft']);
  });

  it('echoes a request without its token', async () => {
    const answer = await callApi(authority, '/v1.0/echo?a=1', token, {
      method: 'PATCH',
      headers: { 'x-test': 'yes' },
      body: 'hello',
    });
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      method: 'PATCH',
      path: '/v1.0/echo',
      query: { a: '1' },
      headers: { 'x-test': 'yes' },
      body: 'hello',
      caller: { appid: 'client-id' },
    });
    expect(text).not.toContain(token);
  });

  it('serves applications by their roles, except what belongs to a user', async () => {
    const app = await appToken();
    const users = (await (await callApi(authority, '/v1.0/users', app)).json()) as { value: { userPrincipalName: string }[] };
    expect(users.value.map((user) => user.userPrincipalName)).toContain(ADA);
    expect((await callApi(authority, `/v1.0/users/${ADA}/messages`, app)).status).toBe(200);
    expect((await callApi(authority, '/v1.0/me', app)).status).toBe(400);
  });

  it('records its calls', async () => {
    await callApi(authority, '/v1.0/nothing', token);
    expect(authority.apiCalls().at(-1)).toMatchObject({ method: 'GET', path: '/v1.0/nothing', status: 404 });
  });
});

describe('a token that is not good enough', () => {
  const refusalOf = async (path: string, accessToken: string) => {
    const answer = await callApi(authority, path, accessToken);
    const { error } = (await answer.json()) as { error: { code: string; message: string; innerError: object } };
    return { status: answer.status, code: error.code, message: error.message, challenge: answer.headers.get('www-authenticate') };
  };

  it('is answered with 401 and a challenge when missing, mangled or meant for others', async () => {
    const [, payload] = token.split('.');
    const forged = `${token.split('.')[0]}.${Buffer.from(JSON.stringify({ ...claimsOf(token), scp: 'User.Read.All' })).toString('base64url')}.${token.split('.')[2]}`;
    const foreign = await tokenFor('openid api://other/x');
    for (const bad of [' ', 'at-TEST-nonsense', `a.${payload}.b`, forged, foreign]) {
      const refused = await refusalOf('/v1.0/me', bad);
      expect([refused.status, refused.code], bad.slice(0, 12)).toEqual([401, 'InvalidAuthenticationToken']);
      expect(refused.challenge).toMatch(
        /^Bearer realm="", authorization_uri="https:\/\/localhost:\d+\/common\/oauth2\/authorize"/,
      );
    }
  });

  it('of another authority is refused', async () => {
    await using other = await startDevAuthority();
    trust(other);
    expect((await callApi(other, '/v1.0/me', token)).status).toBe(401);
  });

  it('is answered with 403 when a permission is missing', async () => {
    const narrow = await tokenFor('openid User.Read');
    expect(await refusalOf('/v1.0/me/messages', narrow)).toMatchObject({
      status: 403,
      code: 'Authorization_RequestDenied',
      challenge: null,
    });
    expect((await refusalOf('/v1.0/users', narrow)).status).toBe(403);
  });
});

describe('advanceClock', () => {
  it('makes tokens expire, and shifts the Date header', async () => {
    const before = Date.parse((await callApi(authority, '/v1.0/me', token)).headers.get('date') ?? '');
    authority.advanceClock(3_700_000);
    const answer = await callApi(authority, '/v1.0/me', token);
    expect([answer.status, ((await answer.json()) as { error: { message: string } }).error.message]).toEqual([
      401,
      expect.stringContaining('the token is expired'),
    ]);
    const shifted = Date.parse(answer.headers.get('date') ?? '') - before;
    expect(Math.abs(shifted - 3_700_000)).toBeLessThan(60_000);
    authority.advanceClock(-3_700_000);
    expect((await callApi(authority, '/v1.0/me', token)).status).toBe(200);
  });

  it('is what new tokens are dated by', async () => {
    authority.advanceClock(86_400_000);
    const { iat, exp } = claimsOf(await tokenFor('openid User.Read'));
    expect(Number(exp) - Number(iat)).toBe(3600);
    expect(Number(iat) - Date.now() / 1000).toBeGreaterThan(86_300);
    authority.advanceClock(-86_400_000);
  });

  it('does not reach the next authority', async () => {
    const first = await startDevAuthority();
    first.advanceClock(86_400_000);
    await first.close();
    await using second = await startDevAuthority();
    trust(second);
    const { iat } = claimsOf((await signIn(second)).body.access_token);
    expect(Number(iat) - Date.now() / 1000).toBeLessThan(60);
  });
});

describe('the lifetime of access tokens', () => {
  it('is an option, can be changed, and may be a second', async () => {
    await using short = await startDevAuthority({ accessTokenSeconds: 1, refreshInSeconds: 30 });
    trust(short);
    const { body } = await signIn(short);
    expect([body.expires_in, body.ext_expires_in, body.refresh_in]).toEqual([1, 1, 30]);
    short.advanceClock(1001);
    expect((await callApi(short, '/v1.0/me', body.access_token)).status).toBe(401);
    short.setAccessTokenSeconds(120);
    expect((await signIn(short)).body.expires_in).toBe(120);
    expect(() => short.setAccessTokenSeconds(0.5)).toThrow(TypeError);
  });
});
