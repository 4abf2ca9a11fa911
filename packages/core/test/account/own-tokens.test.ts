import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startDevAuthority } from '@tokenry/dev-authority';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { Account } from '../../src/account.js';
import type { AccessTokenCallback } from '../../src/application-credentials.js';
import { failure } from './stage.js';

const now = 1_795_176_000_000;

function owned(callback: AccessTokenCallback) {
  let passed = 0;
  const clock = { now: () => now + passed, monotonic: () => passed };
  const account = new Account({ accessToken: callback }, { tokenBackend: new MemoryTokenBackend(), clock });
  const pass = (ms: number) => {
    passed += ms;
  };
  return { account, pass };
}

describe('a program that brings its own tokens', () => {
  it('is asked once per lifetime, by however many callers', async () => {
    const asked: unknown[] = [];
    const { account, pass } = owned(async (options) => {
      asked.push(options);
      return { token: `at-TEST-own-${asked.length}`, expiresAt: now + asked.length * 3_600_000 };
    });
    const results = await Promise.all([account.getAccessToken(), account.getAccessToken(), account.getAccessToken()]);
    expect(results.map(({ token }) => token)).toEqual(['at-TEST-own-1', 'at-TEST-own-1', 'at-TEST-own-1']);
    expect(asked).toEqual([{ scopes: ['https://graph.microsoft.com/.default'] }]);
    pass(3_550_000);
    expect((await account.getAccessToken()).token).toBe('at-TEST-own-2');
    expect(await account.getAuthorizationHeader()).toBe('Bearer at-TEST-own-2');
    expect(asked[1]).toMatchObject({ forceRefresh: true });
    expect(await account.isAuthenticated()).toBe(true);
  });

  it('is asked again for claims, for other scopes and on demand', async () => {
    let count = 0;
    const seen: (string | undefined)[] = [];
    const { account } = owned(async ({ claims }) => {
      seen.push(claims);
      return { token: `at-TEST-own-${++count}`, expiresAt: now + 3_600_000 };
    });
    await account.getAccessToken();
    await account.getAccessToken({ claims: '{"x":1}' });
    await account.getAccessToken({ forceRefresh: true });
    await account.getAccessToken({ scopes: 'https://vault.azure.net/.default' });
    expect([count, seen[1]]).toEqual([4, '{"x":1}']);
  });

  it('is asked for what each caller needs, also while another answer is on its way', async () => {
    const asked: unknown[] = [];
    const { account } = owned(async (options) => {
      asked.push(options);
      return { token: `at-TEST-own-${asked.length}`, expiresAt: now + (options.minimumLifetimeMs ?? 600_000) + 1 };
    });
    const wishes = [{}, { forceRefresh: true }, { minimumLifetimeMs: 3_000_000 }, { forceRefresh: true }];
    const results = await Promise.all(wishes.map((wish) => account.getAccessToken(wish)));
    expect(results.map(({ token }) => token.slice(-1))).toEqual(['1', '2', '3', '2']);
    const scopes = ['https://graph.microsoft.com/.default'];
    expect(asked).toEqual([{ scopes }, { scopes, forceRefresh: true }, { scopes, minimumLifetimeMs: 3_000_000 }]);
  });

  it('hears what is wrong with its answer, and its own errors come through', async () => {
    const bad = owned(async () => ({ token: 'at-TEST-own' }) as unknown as { token: string; expiresAt: number });
    expect(await failure(bad.account.getAccessToken())).toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT' });
    const failing = owned(async () => {
      throw new Error('no token today');
    });
    expect(await failure(failing.account.getAccessToken())).toMatchObject({ message: 'no token today' });
  });
});

describe('a person whose token the program brings', () => {
  it('is the current user: the token says who it is, not its kind', async () => {
    await using authority = await startDevAuthority();
    const options = { ...authority.accountOptions, scopes: 'basic' };
    await using signedIn = new Account(['public-1'], { ...options, tokenBackend: new MemoryTokenBackend() });
    await signedIn.authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });
    const brought = { accessToken: () => signedIn.getAccessToken() };
    await using account = new Account(brought, { ...options, tokenBackend: new MemoryTokenBackend() });
    expect((await account.getCurrentUser()).userPrincipalName).toBe('ada@contoso.example');
  });
});

describe('a managed identity', () => {
  const saved = { endpoint: process.env.IDENTITY_ENDPOINT, header: process.env.IDENTITY_HEADER };
  afterEach(() => {
    for (const [name, value] of [
      ['IDENTITY_ENDPOINT', saved.endpoint],
      ['IDENTITY_HEADER', saved.header],
    ] as const)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  it('gets, stores and renews tokens without any secret, like an application', async () => {
    const asked: URL[] = [];
    const server = createServer((request, response) => {
      asked.push(new URL(request.url ?? '', 'http://localhost'));
      const expires_on = String(Math.floor(Date.now() / 1_000) + 86_400);
      const body = { access_token: `at-TEST-mi-${asked.length}`, expires_on, resource: 'r', token_type: 'Bearer' };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env.IDENTITY_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
    process.env.IDENTITY_HEADER = 'secret-TEST-header';
    try {
      const tokenBackend = new MemoryTokenBackend();
      const make = () => new Account({ managedIdentity: { clientId: 'mi-1' } }, { tokenBackend, proxy: false });
      const account = make();
      expect((await account.getAccessToken()).token).toBe('at-TEST-mi-1');
      expect((await make().getAccessToken()).token).toBe('at-TEST-mi-1');
      expect(asked[0]?.searchParams.get('resource')).toBe('https://graph.microsoft.com');
      expect(asked[0]?.searchParams.get('client_id')).toBe('mi-1');
      expect((await account.getAccessToken({ forceRefresh: true })).token).toBe('at-TEST-mi-2');
      await account.close();
    } finally {
      server.close();
    }
  });
});
