// What ten kinds of users write. Typechecked against the built packages by `npm run check`; nothing here runs.
import {
  Account, BaseTokenBackend, JweCryptographyManager, MSGraphProtocol, SignInRequiredError, TokenryError, VersionConflictError, loopbackConsent,
  type BaseTokenBackendOptions, type Expectation, type ReadOptions, type RefreshRequest, type SignInFlow, type TokenProvider, type WriteOptions,
} from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { RedisLeases, RedisTokenBackend } from '@tokenry/redis';
import { createCachePlugin } from '@tokenry/msal-cache';
import { conformanceTests } from '@tokenry/conformance';
import { startDevAuthority } from '@tokenry/dev-authority';
import { AutodiscoverCache, UsernamePasswordCredentials, accountOptionsFor, discover } from '@tokenry/autodiscover';
import { test } from 'node:test';

const tokenBackend = new MemoryTokenBackend();

export async function quickStart(): Promise<void> {
  const account = new Account(['client-id'], { tokenBackend: new FileSystemTokenBackend(), scopes: ['basic', 'message_all'] });
  if (!(await account.isAuthenticated())) await account.authenticate({ handleConsent: loopbackConsent() });
  const me = await account.connection.get('/me');
  console.log(await me.json());
}

export async function webApplication(): Promise<void> {
  const app = new Account(['client-id', 'secret'], { tokenBackend: new RedisTokenBackend(), tenantId: 'organizations', scopes: 'basic' });
  const flows = new Map<string, SignInFlow>();
  const { url, flow } = await app.getAuthorizationUrl({ redirectUri: 'https://app.example/callback' });
  flows.set(flow.id, flow);
  console.log('302', url);

  const callback = new URL('https://app.example/callback?code=…&state=…');
  const pending = flows.get(callback.searchParams.get('state') ?? '');
  if (!pending) throw new Error('unknown sign-in');
  const { tokenKey } = await app.requestToken(callback, { flow: pending, tokenKey: (result) => result.account.homeAccountId });

  const user = app.forKey(tokenKey); // per request: cheap, shares everything
  try {
    await user.connection.get('/me/messages', { params: { $top: 5 } });
  } catch (error) {
    if (error instanceof SignInRequiredError) console.log('302 to sign-in', error.reason, error.claims);
    else throw error;
  }
  console.log('302', (await user.signOut({ postLogoutRedirectUri: 'https://app.example/' })).logoutUrl);
}

export async function daemon(): Promise<void> {
  await using account = new Account(
    { clientId: 'client-id', clientCertificate: async () => ({ privateKey: '-----BEGIN…', certificate: '-----BEGIN…' }) },
    {
      tenantId: 'tenant',
      tokenBackend: new MemoryTokenBackend({
        leases: new RedisLeases({}),
        cryptographyManager: new JweCryptographyManager({ keys: { k1: new Uint8Array(32) }, activeKid: 'k1' }),
      }),
    },
  );
  await account.getAccessToken(); // app-only: no sign-in call
}

// A custom backend with conditional writes: three methods.
interface BlobClient {
  get(name: string, options: { ifNoneMatch?: string }): Promise<{ status: 200 | 304 | 404; body: Uint8Array; etag: string }>;
  put(name: string, body: Uint8Array, options: { ifMatch?: string; ifNoneMatch?: '*' }): Promise<{ status: 201 | 412; etag: string }>;
  delete(name: string): Promise<boolean>;
}
const condition = (expect: Expectation): { ifMatch?: string; ifNoneMatch?: '*' } =>
  expect === 'anything' ? {} : expect === 'absent' ? { ifNoneMatch: '*' } : { ifMatch: expect.version };

export class BlobTokenBackend extends BaseTokenBackend {
  readonly #client: BlobClient;
  constructor({ client, ...options }: BaseTokenBackendOptions & { client: BlobClient }) {
    super({ capabilities: { conditionalWrites: true, leases: true, list: false, durable: true, shared: true } }, options);
    this.#client = client;
  }
  protected async readRecord(key: string, { ifNotVersion }: ReadOptions) {
    const blob = await this.#client.get(key, ifNotVersion === undefined ? {} : { ifNoneMatch: ifNotVersion });
    if (blob.status === 404) return undefined;
    return blob.status === 304 ? ('not-modified' as const) : { data: blob.body, version: blob.etag };
  }
  protected async writeRecord(key: string, data: Uint8Array, { expect }: WriteOptions) {
    const blob = await this.#client.put(key, data, condition(expect));
    if (blob.status === 412) throw new VersionConflictError(key);
    return blob.etag;
  }
  protected removeRecord(key: string) {
    return this.#client.delete(key);
  }
}

for (const conformance of conformanceTests(async () => ({ open: async (options) => new MemoryTokenBackend(options), destroy: async () => {} })))
  test(`${conformance.group}: ${conformance.name}`, { skip: conformance.skip ?? false }, () => conformance.run());

// python-o365's should_refresh_token recipe: refresh inside, answer null.
export class LockingTokenBackend extends MemoryTokenBackend {
  override async shouldRefreshToken(request: RefreshRequest) {
    if (await request.reload()) return false;
    await request.refresh();
    return null;
  }
}

export function plainMsalNode() {
  return { cache: { cachePlugin: createCachePlugin(new FileSystemTokenBackend({ tokenPath: 'tokens' }), { tokenKey: () => 'user-42' }) } };
}

export function otherSdks() {
  const account = new Account(['client-id', 'secret'], { tokenBackend, protocol: new MSGraphProtocol({ apiVersion: 'beta' }) });
  const credential: { getToken(scopes: string | string[], options?: { abortSignal?: AbortSignal }): Promise<{ token: string; expiresOnTimestamp: number } | null> } =
    account.asTokenCredential();
  const anyFetch: typeof fetch = account.fetch;
  return { credential, anyFetch, graph: account.asGraphAuthProvider() };
}

export async function testAuthor(): Promise<void> {
  const authority = await startDevAuthority({ refreshTokens: 'one-time-revoking' });
  const account = new Account(['client-id', 'secret'], { ...authority.accountOptions, tokenBackend, scopes: 'basic' });
  await account.authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });
  const fault = authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', times: 1, error: 'invalid_grant' });
  await account.getAccessToken({ forceRefresh: true }).catch((error: unknown) => TokenryError.is(error) && error.code);
  console.log(fault.hits, authority.calls({ grantType: 'refresh_token' }).length);
  await authority.close();
}

export async function onPremisesExchange(): Promise<void> {
  const found = await discover('ada@corp.example', {
    credentials: new UsernamePasswordCredentials('CORP\\ada', 'password'),
    cache: new AutodiscoverCache({ records: tokenBackend.records }),
  });
  if (found.services.ews?.externalUrl) await found.services.ews.fetch(found.services.ews.externalUrl, { method: 'POST' });
  new Account(['client-id', 'secret'], { ...(await accountOptionsFor('ada@corp.example')), tokenBackend });
}

export async function anotherProvider(): Promise<void> {
  const google: TokenProvider = {
    issuer: 'https://accounts.google.com',
    clientId: 'service@project.example',
    environments: ['accounts.google.com'],
    async exchange(grant, slice, { fetch, scopes }) {
      const answer = await fetch('https://oauth2.googleapis.com/token', { method: 'POST', body: new URLSearchParams({ grant_type: grant.grantType }) });
      slice.add({ response: await answer.json(), environment: 'accounts.google.com', scopes });
    },
    classify: ({ status }) => ({ kind: status >= 500 ? 'transient' : 'token-refused' }),
  };
  const account = new Account({ clientId: google.clientId }, { provider: google, tokenBackend, scopes: 'https://www.googleapis.com/auth/analytics' });
  console.log(await account.getAuthorizationHeader());
}
