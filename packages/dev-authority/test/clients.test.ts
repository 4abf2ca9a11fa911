import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClientCertificate } from './client-certificate.js';
import { ADA, authorizationRequest, claimsOf, tokenRequest, trust } from './fetch-client.js';

const GRAPH_DEFAULT = 'https://graph.microsoft.com/.default';
let authority: DevAuthority;

beforeAll(async () => {
  authority = await startDevAuthority({
    clients: [
      {
        clientId: 'strict',
        clientSecret: ['secret-TEST-old', 'secret-TEST-new'],
        redirectUris: ['https://app.example/callback'],
        appRoles: ['Sites.Read.All'],
      },
      { clientId: 'native' },
    ],
  });
  trust(authority);
});
afterAll(() => authority.close());

const appOnly = (form: Record<string, string>) =>
  tokenRequest(authority, { grant_type: 'client_credentials', scope: GRAPH_DEFAULT, ...form });
const redirectedTo = async (clientId: string, redirectUri: string) => {
  const request = authorizationRequest(authority, 'openid User.Read', { client_id: clientId, redirect_uri: redirectUri });
  return new URL(await authority.consentAs(ADA)({ ...request, redirectUri })).searchParams.has('code');
};

describe('a client nobody registered', () => {
  it('is accepted with any secret that does not start with "wrong"', async () => {
    expect((await appOnly({ client_id: 'whoever', client_secret: 'secret-TEST-1' })).status).toBe(200);
    const { status, body } = await appOnly({ client_id: 'whoever', client_secret: 'wrong-secret' });
    expect([status, body.error, body.error_codes]).toEqual([401, 'invalid_client', [7000215]]);
  });

  it('is sent back wherever it says', async () => {
    for (const uri of ['http://localhost:8400', 'http://127.0.0.1:1/x?y=z', 'https://app.example/callback', 'msal-app://auth'])
      expect(await redirectedTo('whoever', uri), uri).toBe(true);
  });

  it('is told to register its certificate', async () => {
    const { body } = await appOnly({ client_id: 'whoever', ...(await assertion('whoever')) });
    expect([body.error, body.error_codes, body.error_description]).toEqual([
      'invalid_client',
      [700027],
      expect.stringContaining('registerClient'),
    ]);
  });

  it('gets nothing where only registered clients are served', async () => {
    await using strict = await startDevAuthority({ unknownClients: 'refuse' });
    trust(strict);
    const { status, body } = await tokenRequest(strict, {
      grant_type: 'client_credentials',
      scope: GRAPH_DEFAULT,
      client_id: 'whoever',
      client_secret: 'secret-TEST-1',
    });
    expect([status, body.error, body.error_codes]).toEqual([400, 'unauthorized_client', [700016]]);
    const request = authorizationRequest(strict, 'openid User.Read');
    await expect(strict.consentAs(ADA)(request)).rejects.toThrow('answered 400');
  });
});

describe('a registered client', () => {
  it('may use each of its secrets, and no other', async () => {
    const answers = await Promise.all(
      ['secret-TEST-old', 'secret-TEST-new', 'secret-TEST-other'].map((secret) =>
        appOnly({ client_id: 'strict', client_secret: secret }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401]);
    expect(claimsOf(answers[0]?.body.access_token ?? '').roles).toEqual(['Sites.Read.All']);
    expect(answers[2]?.body.error_codes).toEqual([7000215]);
  });

  it('must show a secret when it has one, and must not when it has none', async () => {
    const [missing, surplus] = await Promise.all([
      appOnly({ client_id: 'strict' }),
      appOnly({ client_id: 'native', client_secret: 'secret-TEST-1' }),
    ]);
    expect([missing.status, missing.body.error_codes]).toEqual([401, [7000218]]);
    expect([surplus.status, surplus.body.error_codes]).toEqual([401, [700025]]);
  });

  it('is sent back to its own addresses and to loopback only', async () => {
    expect(await redirectedTo('strict', 'https://app.example/callback')).toBe(true);
    expect(await redirectedTo('strict', 'http://localhost:12345/any')).toBe(true);
    await expect(redirectedTo('strict', 'https://elsewhere.example/')).rejects.toThrow('answered 400');
  });

  it('can be given new secrets while the authority runs', async () => {
    authority.registerClient({ clientId: 'rotating', clientSecret: 'secret-TEST-1' });
    expect((await appOnly({ client_id: 'rotating', client_secret: 'secret-TEST-2' })).status).toBe(401);
    authority.registerClient({ clientId: 'rotating', clientSecret: 'secret-TEST-2' });
    expect((await appOnly({ client_id: 'rotating', client_secret: 'secret-TEST-2' })).status).toBe(200);
  });
});

const certificate = await makeClientCertificate();

/** A client assertion as python-o365 and msal make it. */
async function assertion(clientId: string, changes: Record<string, unknown> = {}, key = certificate) {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const audience = `${authority.url}/${authority.accountOptions.tenantId}/oauth2/v2.0/token`;
  const header = { alg: 'RS256', typ: 'JWT', 'x5t#S256': createHash('sha256').update(key.certificate).digest('base64url') };
  const payload = { aud: audience, iss: clientId, sub: clientId, jti: randomUUID(), nbf: now, exp: now + 600, ...changes };
  const input = `${encode(header)}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(input), createPrivateKey(key.privateKey)).toString('base64url');
  return {
    client_assertion: `${input}.${signature}`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
}

describe('a client with a certificate', () => {
  beforeAll(() => authority.registerClient({ clientId: 'cert-app', certificate: certificate.certificate }));
  const withAssertion = async (changes?: Record<string, unknown>, key?: typeof certificate) =>
    appOnly({ client_id: 'cert-app', ...(await assertion('cert-app', changes, key)) });

  it('signs its own assertion', async () => {
    expect((await withAssertion()).status).toBe(200);
  });

  it('may do so with any of several certificates', async () => {
    const next = await makeClientCertificate();
    authority.registerClient({ clientId: 'cert-rotating', certificate: [certificate.certificate, next.certificate] });
    for (const key of [certificate, next])
      expect((await appOnly({ client_id: 'cert-rotating', ...(await assertion('cert-rotating', {}, key)) })).status).toBe(200);
  });

  it('is refused when the assertion is signed with another key, expired, meant for others, or used twice', async () => {
    const now = Math.floor(Date.now() / 1000);
    const jti = randomUUID();
    await withAssertion({ jti });
    const answers = await Promise.all([
      withAssertion({}, await makeClientCertificate()),
      withAssertion({ exp: now - 400, nbf: now - 1000 }),
      withAssertion({ aud: 'https://elsewhere.example' }),
      withAssertion({ jti }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.error, body.error_codes[0]])).toEqual([
      [401, 'invalid_client', 700027],
      [401, 'invalid_client', 700024],
      [401, 'invalid_client', 700027],
      [401, 'invalid_client', 700024],
    ]);
  });
});
