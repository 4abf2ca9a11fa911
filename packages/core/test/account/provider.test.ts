import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Account } from '../../src/account.js';
import { CapabilityError, InteractionRequiredError } from '../../src/errors.js';
import { Protocol } from '../../src/protocol/protocol.js';
import type { TokenProvider } from '../../src/provider/token-provider.js';
import { failure } from './stage.js';

/** A whole provider: plain OAuth 2.0, no Entra, no msal-node. */
function plainOAuth(origin: string): TokenProvider {
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
  return {
    issuer: origin,
    clientId: 'plain-1',
    environments: ['plain.example'],
    async exchange(grant, slice, { fetch, scopes }) {
      const spent = grant.grantType === 'refresh_token' ? slice.getRefreshToken(grant)?.secret : undefined;
      const { grantType: grant_type, ...rest } = { code: '', ...grant };
      const fields = { grant_type, code: rest.code, refresh_token: spent ?? '', scope: scopes.join(' ') };
      const answer = await fetch(`${origin}/token`, form(fields));
      slice.add({ response: await answer.json(), status: answer.status, scopes, grantType: grant_type });
    },
    classify: ({ status }) => ({ kind: status >= 500 ? 'transient' : 'token-refused' }),
    authorizationUrl: async ({ state }) => `${origin}/login?state=${state}`,
    async revoke(slice, { fetch }) {
      await fetch(`${origin}/revoke`, form({ token: slice.getRefreshToken()?.secret ?? '' }));
    },
  };
}

const requests: { path: string; fields: Record<string, string> }[] = [];
let alive = true;
let issued = 0;

/** A server that rotates refresh tokens and takes each once. */
async function respond(request: IncomingMessage): Promise<{ status: number; body: object }> {
  const fields = Object.fromEntries(new URLSearchParams(await text(request)));
  requests.push({ path: request.url ?? '', fields });
  if (request.url === '/revoke') return { status: 200, body: {} };
  const good = fields.grant_type === 'refresh_token' ? fields.refresh_token === `rt-TEST-plain-${issued}` : fields.code === 'c-1';
  if (!alive || !good) return { status: 400, body: { error: 'invalid_grant' } };
  issued++;
  const claims = Buffer.from(JSON.stringify({ sub: 'user-7', name: 'Ada', email: 'ada@plain.example' })).toString('base64url');
  const body = {
    access_token: `at-TEST-plain-${issued}`,
    refresh_token: `rt-TEST-plain-${issued}`,
    id_token: `e30.${claims}.x`,
    expires_in: 3_600,
    token_type: 'Bearer',
  };
  return { status: 200, body };
}

const server = createServer((request, response) => {
  void respond(request).then(({ status, body }) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
  );
});
let origin = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests.length = 0;
  alive = true;
});
afterAll(() => void server.close());

async function signedIn(provider = plainOAuth(origin), tokenBackend = new MemoryTokenBackend()) {
  const protocol = new Protocol({ protocolUrl: 'https://api.plain.example/', apiVersion: 'v1' });
  const options = { provider, tokenBackend, protocol, scopes: 'https://api.plain.example/read', proxy: false } as const;
  const account = new Account({ clientId: 'plain-1' }, options);
  const handleConsent = async ({ url, redirectUri }: { url: string; redirectUri: string }) =>
    `${redirectUri}?code=c-1&state=${new URL(url).searchParams.get('state')}`;
  const result = await account.authenticate({ handleConsent });
  return { account, tokenBackend, result, other: new Account({ clientId: 'plain-1' }, options) };
}

describe('a provider of 20 lines', () => {
  it('signs people in', async () => {
    const { account, result } = await signedIn();
    expect(result.account).toMatchObject({ homeAccountId: 'user-7', username: 'ada@plain.example', name: 'Ada' });
    expect((await account.getAccessToken()).token).toBe(`at-TEST-plain-${issued}`);
    expect(await account.isAuthenticated()).toBe(true);
  });

  it('gets exactly one refresh for any number of callers and instances', async () => {
    const { account, other } = await signedIn();
    const before = issued;
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        (at % 2 ? account : other).getAccessToken({ minimumLifetimeMs: 3_590_000, forceRefresh: at < 1 }),
      ),
    );
    expect(issued).toBe(before + 1);
    expect(results[0]?.token).toBe(`at-TEST-plain-${issued}`);
    await account.keepAlive();
    await other.keepAlive();
    expect(issued).toBe(before + 3);
  });

  it('never answers with what another issuer said, though client, person and scopes are the same', async () => {
    const { account, tokenBackend } = await signedIn();
    const elsewhere = { ...plainOAuth(origin), issuer: 'https://other.example', environments: ['other.example'] };
    const { account: other } = await signedIn(elsewhere, tokenBackend);
    for (let asked = 1; asked <= 2; asked++) {
      const tokens = [(await account.getAccessToken()).token, (await other.getAccessToken()).token];
      expect(tokens).toEqual([`at-TEST-plain-${issued - 1}`, `at-TEST-plain-${issued}`]);
    }
  });

  it('tells what kind of refusal it is', async () => {
    const { account } = await signedIn();
    alive = false;
    expect(InteractionRequiredError.is(await failure(account.keepAlive()))).toBe(true);
    expect(await account.verify()).toBe(false);
  });

  it('revokes at sign-out, and what it cannot do is a typed error', async () => {
    const { account, tokenBackend } = await signedIn();
    expect(await account.signOut()).toEqual({});
    expect(requests.at(-1)).toEqual({ path: '/revoke', fields: { token: `rt-TEST-plain-${issued}` } });
    expect((await tokenBackend.loadToken())?.getAccounts()).toEqual([]);
    expect(CapabilityError.is(await failure(account.initiateDeviceFlow()))).toBe(true);
    const { authorizationUrl: _, ...bare } = plainOAuth(origin);
    const mute = new Account({ clientId: 'plain-1' }, { provider: bare, tokenBackend, scopes: 'https://api.plain.example/read' });
    expect(CapabilityError.is(await failure(mute.getAuthorizationUrl({ redirectUri: 'http://localhost/' })))).toBe(true);
  });

  it('that cannot revoke today does not keep anybody signed in', async () => {
    const provider = plainOAuth(origin);
    const { account } = await signedIn({
      ...provider,
      revoke: async () => {
        throw new Error('down');
      },
    });
    await account.signOut();
    expect(await account.isAuthenticated()).toBe(false);
  });
});
