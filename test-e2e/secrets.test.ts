import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Account,
  type ApplicationCredentials,
  channels,
  type DeviceFlow,
  deviceCodeConsent,
  JweCryptographyManager,
  pasteConsent,
  type TokenProvider,
} from '@tokenry/core';
import { Transport } from '@tokenry/core/http';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { EnvTokenBackend } from '@tokenry/env';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNoSecrets, secretIn } from './no-secrets.js';

const ADA = 'ada@contoso.example';
let authority: DevAuthority;
let folder: string;
const accounts: Account[] = [];

beforeAll(async () => {
  authority = await startDevAuthority();
  folder = await mkdtemp(join(tmpdir(), 'tokenry-secrets-'));
});
afterAll(async () => {
  await Promise.all(accounts.map((account) => account.close()));
  await authority.close();
  await rm(folder, { recursive: true, force: true });
});

function account(credentials: ApplicationCredentials = ['web-1', 'secret-TEST-web'], options: object = {}): Account {
  const tokenBackend = new MemoryTokenBackend();
  const made = new Account(credentials, {
    ...authority.accountOptions,
    tokenBackend,
    scopes: 'basic',
    proxy: { url: 'http://proxy.example:8080', username: 'user', password: 'secret-TEST-proxy' },
    ...options,
  });
  accounts.push(made);
  return made;
}
const direct = { proxy: false };

async function signedIn(options: object = {}): Promise<Account> {
  const made = account(undefined, { ...direct, ...options });
  await made.authenticate({ handleConsent: authority.consentAs(ADA) });
  return made;
}
async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('This should have failed.');
}

describe('the check itself', () => {
  it('finds secrets wherever they are', () => {
    const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.';
    expect([secretIn('x rt-TEST-1 y'), secretIn(`Bearer ${jwt}`), secretIn('at-TEST- alone')]).toEqual([
      'rt-TEST-1',
      'eyJhbGciOiJu',
      undefined,
    ]);
    const hidden = Object.defineProperty({}, 'hidden', { value: { deep: ['at-TEST-hidden'] }, enumerable: false });
    const cause = new Error('outer', { cause: Object.assign(new Error('inner'), { config: { body: 'secret-TEST-1' } }) });
    const symbol = { [Symbol('private')]: new Map([['k', 'rt-TEST-map']]) };
    for (const value of [hidden, cause, symbol, new TextEncoder().encode('rt-TEST-bytes'), { toJSON: () => 'at-TEST-json' }])
      expect(() => expectNoSecrets(value)).toThrow(/shows a secret/);
    expectNoSecrets({ fine: ['rt', 'TEST'] });
  });
});

describe('no object of ours shows a secret', () => {
  it('accounts and connections, before and after signing in', async () => {
    const kinds: readonly (readonly [ApplicationCredentials, object])[] = [
      [['web-1', 'secret-TEST-web'], {}],
      [{ clientId: 'c', clientSecret: async () => 'secret-TEST-async' }, {}],
      [['public-1'], { authFlowType: 'password', username: ADA, password: 'secret-TEST-password' }],
      [{ clientId: 'c', clientAssertion: async () => 'secret-TEST-assertion' }, {}],
      [{ accessToken: async () => ({ token: 'at-TEST-own', expiresAt: Date.now() + 3_600_000 }) }, {}],
    ];
    for (const [credentials, options] of kinds) {
      const made = account(credentials, { flowKeys: [Buffer.from('secret-TEST-flow-key-0123456789a')], ...options });
      for (const value of [made, made.connection, made.protocol, made.fetch, made.forKey('x')]) expectNoSecrets(value);
      expectNoSecrets([made.asTokenCredential(), made.asGraphAuthProvider()]);
    }
    const online = await signedIn();
    await online.getCurrentUser();
    for (const value of [online, online.connection, online.fetch, online.forKey('other')]) expectNoSecrets(value);
    expectNoSecrets(await online.getAccounts());
    expectNoSecrets(await online.connection.get('/me'), 'A response');
  });

  it('backends and what they decode', async () => {
    const keys = { k1: Buffer.from('secret-TEST-key-0123456789abcdef') };
    const cryptographyManager = new JweCryptographyManager({ keys, activeKid: 'k1' });
    const tokenEnvName = 'TOKENRY_SECRETS_TEST';
    const backends = [
      new MemoryTokenBackend(),
      new MemoryTokenBackend({ cryptographyManager }),
      new FileSystemTokenBackend({ tokenPath: folder }),
      new EnvTokenBackend({ tokenEnvName }),
    ];
    try {
      for (const tokenBackend of backends) {
        const made = await signedIn({ tokenBackend });
        await made.keepAlive();
        const cache = await tokenBackend.loadToken();
        expect(cache?.hasData).toBe(true);
        for (const value of [tokenBackend, tokenBackend.records, tokenBackend.leases, cache, cache?.clone()])
          expectNoSecrets(value, tokenBackend.constructor.name);
        expectNoSecrets([cache?.getAccounts(), cache?.getAccessToken(), cache?.getRefreshToken(), cache?.getIdToken()]);
      }
    } finally {
      delete process.env[tokenEnvName];
    }
    expectNoSecrets(cryptographyManager);
  });

  it('transports, flows and consent handlers', async () => {
    const proxy = { url: 'http://proxy.example:8080', username: 'user', password: 'secret-TEST-proxy' };
    const transport = new Transport({ proxy });
    expectNoSecrets(transport);
    const flowKeys = [Buffer.from('secret-TEST-flow-key-0123456789a')];
    const { flow, url } = await account(undefined, { flowKeys }).getAuthorizationUrl({ redirectUri: 'https://app.example/' });
    expectNoSecrets(url);
    const parts = flow.sealed.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(parts.join('\n')).not.toMatch(/verifier|nonce/i);
    expectNoSecrets([pasteConsent(), deviceCodeConsent()]);
    await transport.close();
  });
});

describe('no error of ours tells a secret', () => {
  const faults = [
    { error: 'invalid_grant' },
    { error: 'invalid_grant', suberror: 'bad_token', errorCodes: [70008] },
    { error: 'interaction_required', errorCodes: [50076], claims: '{"access_token":{}}' },
    { error: 'invalid_client', errorCodes: [7000215] },
    { retryAfterSeconds: 600 },
    { status: 503 },
    { reset: 'before' },
    { reset: 'after-commit' },
  ] as const;

  it.each(faults)('of a refresh: %j', async (fault) => {
    const made = await signedIn();
    const added = authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', ...fault });
    const error = await failure(made.keepAlive());
    expectNoSecrets(error, 'The error of a refresh');
    expect((error as { code: string }).code).toMatch(/^TOKENRY_/);
    added.remove();
  });

  it.each(faults)('of a sign-in: %j', async (fault) => {
    const made = account(undefined, direct);
    const added = authority.faults.add({ endpoint: 'token', grantType: 'authorization_code', ...fault });
    expectNoSecrets(await failure(made.authenticate({ handleConsent: authority.consentAs(ADA) })), 'The error of a sign-in');
    added.remove();
  });

  it('of a wrong password, a wrong secret and a failing source', async () => {
    const password = { ...direct, authFlowType: 'password', username: ADA, password: 'wrong-secret-TEST-password' };
    expectNoSecrets(await failure(account(['public-1'], password).authenticate()));
    const app = { ...direct, authFlowType: 'credentials', scopes: [] };
    expectNoSecrets(await failure(account(['daemon', 'wrong-secret-TEST-x'], app).getAccessToken()));
  });

  it('of a proxy that cannot be reached, and of a server that is not there', async () => {
    const app = { authFlowType: 'credentials', scopes: [] };
    const proxy = { url: 'http://127.0.0.1:9', username: 'user', password: 'secret-TEST-proxy' };
    expectNoSecrets(await failure(account(undefined, { ...app, proxy }).getAccessToken()));
    const cloud = { name: 'nowhere', authority: 'https://127.0.0.1:9', graphHost: '127.0.0.1:9' };
    expectNoSecrets(await failure(account(undefined, { ...app, ...direct, cloud }).getAccessToken()));
  });

  it('of an API that quotes the token in its answer', async () => {
    const made = await signedIn();
    const added = authority.faults.add({ endpoint: 'graph', status: 500, error: 'Bearer at-TEST-echoed' });
    const error = await failure(made.connection.post('/me/messages', { subject: 'x' }));
    expect((error as { code: string }).code).toBe('TOKENRY_HTTP');
    expectNoSecrets([(error as Error).message, JSON.stringify(error)]);
    added.remove();
  });

  it('of a token endpoint that quotes the request', async () => {
    const quoted = 'refresh_token=rt-TEST-quoted&client_secret=secret-TEST-quoted {"assertion":"at-TEST-quoted"}';
    const provider: TokenProvider = {
      issuer: 'https://login.example',
      clientId: 'c',
      environments: ['login.example'],
      exchange: async (_grant, slice) =>
        slice.add({ response: { error: 'invalid_grant', error_description: `Bad: ${quoted}` }, status: 400 }),
      classify: () => ({ kind: 'token-refused' }),
    };
    const app = account({ clientId: 'c' }, { provider, authFlowType: 'credentials', scopes: 'https://api.example/x' });
    const error = await failure(app.getAccessToken());
    expect((error as { cause: unknown }).cause).toBeDefined();
    expectNoSecrets(error);
    expectNoSecrets((error as { cause: unknown }).cause);
  });

  it('of records that are corrupt, encrypted by somebody else or refused', async () => {
    const record = '{"RefreshToken":{"k":{"secret":"rt-TEST-corrupt"}}';
    const plain = new MemoryTokenBackend();
    await plain.records.write('o365_token.txt', Buffer.from(record), { expect: 'absent' });
    expectNoSecrets(await failure(plain.loadToken()));
    expectNoSecrets(await failure(account(undefined, { tokenBackend: plain }).getAccessToken()));
    const keys = { k1: Buffer.from('secret-TEST-key-0123456789abcdef') };
    const sealed = new MemoryTokenBackend({ cryptographyManager: new JweCryptographyManager({ keys, activeKid: 'k1' }) });
    await sealed.records.write('o365_token.txt', Buffer.from(record), { expect: 'absent' }).catch(() => undefined);
    expectNoSecrets(await sealed.loadToken().catch((error: unknown) => error));
  });
});

describe('no event of ours tells a secret', () => {
  it('through sign-in, refresh, failure and sign-out', async () => {
    const events: unknown[] = [];
    const listener = (event: unknown) => void events.push(event);
    const names = Object.values(channels).map(({ name }) => name);
    for (const name of names) subscribe(name, listener);
    try {
      const made = await signedIn({ tokenBackend: new FileSystemTokenBackend({ tokenPath: join(folder, 'events') }) });
      await Promise.all([made.keepAlive(), made.keepAlive(), made.getAccessToken()]);
      const added = authority.faults.add({ endpoint: 'token', error: 'invalid_grant' });
      await failure(made.keepAlive());
      added.remove();
      await made.authenticate({
        handleConsent: deviceCodeConsent({ show: ({ userCode }: DeviceFlow) => authority.approveDevice(userCode, ADA) }),
      });
      await made.signOut();
    } finally {
      for (const name of names) unsubscribe(name, listener);
    }
    expect(events.length).toBeGreaterThan(8);
    expectNoSecrets(events, 'An event');
  });
});
