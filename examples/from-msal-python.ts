// The code of docs/from-msal-python.md: typechecked here, and a test compares the two (test-e2e/docs.test.ts).
import {
  Account,
  type AccountOptions,
  type DeviceFlow,
  InteractionRequiredError,
  loopbackConsent,
  NotAuthenticatedError,
  TokenCache,
  type TokenEvent,
} from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { createCachePlugin } from '@tokenry/msal-cache';

const tokenBackend = new FileSystemTokenBackend();
const options: AccountOptions = { tokenBackend, scopes: 'User.Read' };
const privateKey = '-----BEGIN PRIVATE KEY-----…';
const certificate = '-----BEGIN CERTIFICATE-----…';

export async function firstProgram(): Promise<void> {
  const account = new Account(['client-id'], {
    tokenBackend: new FileSystemTokenBackend({ tokenPath: '.', tokenFilename: 'cache.json' }),
    scopes: 'User.Read',
  });
  if (!(await account.isAuthenticated())) await account.authenticate({ handleConsent: loopbackConsent() });
  const { token } = await account.getAccessToken();
  console.log(token.length);
}

export function applications(): Account[] {
  return [
    new Account(['client-id'], options),
    new Account(['client-id', 'secret'], options),
    new Account({ clientId: 'client-id', clientCertificate: { privateKey, certificate } }, options),
    new Account({ clientId: 'client-id', clientAssertion: async ({ tokenEndpoint }) => sign(tokenEndpoint) }, options),
    new Account({ managedIdentity: { clientId: 'identity-client-id' } }, options),
    new Account(['client-id'], { ...options, tenantId: 'contoso.com' }),
    new Account(['client-id'], { ...options, cloud: 'usgov' }),
    new Account(['client-id'], { ...options, verifyTls: false, ca: certificate }),
    new Account(['client-id'], { ...options, proxy: 'http://proxy.example:8080' }),
    new Account(['client-id'], { ...options, timeoutMs: 30_000 }),
    new Account(['client-id'], { ...options, clientCapabilities: ['cp1'] }),
  ];
}
declare function sign(audience: string): Promise<string>;

export async function signIn(account: Account, redirected: string): Promise<void> {
  const { url, flow } = await account.getAuthorizationUrl({ redirectUri: 'https://app.example/callback', prompt: 'login' });
  console.log(url);
  await account.requestToken(redirected, { flow });
  await account.authenticate({ handleConsent: loopbackConsent({ port: 8400 }) });
  await account.authenticate({ loginHint: 'ada@contoso.com', extraParameters: { msafed: '0' } });

  const device: DeviceFlow = await account.initiateDeviceFlow({ scopes: 'User.Read' });
  console.log(device.message);
  await account.acquireTokenByDeviceFlow(device, { signal: AbortSignal.timeout(60_000) });
}

export async function tokens(account: Account, assertion: string, claims: string): Promise<void> {
  await account.getAccessToken({ scopes: 'Mail.Read' });
  await account.getAccessToken({ forceRefresh: true });
  await account.getAccessToken({ claims });
  await account.getAccessToken({ tenantId: 'fabrikam.com' });
  await account.acquireTokenOnBehalfOf(assertion, { scopes: 'User.Read' });

  const daemon = new Account(['client-id', 'secret'], { ...options, authFlowType: 'credentials', tenantId: 'contoso.com' });
  await daemon.getAccessToken({ scopes: 'https://graph.microsoft.com/.default' });

  const legacy = new Account(['client-id'], { ...options, authFlowType: 'password', username: 'ada@contoso.com', password: '…' });
  await legacy.authenticate();
}

export async function accounts(account: Account): Promise<void> {
  await account.getAccounts();
  await account.getAccounts({ username: 'ada@contoso.com' });
  account.username = 'ada@contoso.com';
  console.log(account.forKey('user-42', { homeAccountId: 'oid.tid' }).username);
  await account.signOut();
}

export async function caches(event: TokenEvent, state: string): Promise<unknown[]> {
  const cache = TokenCache.deserialize(state);
  cache.add(event);
  await tokenBackend.saveToken(cache);
  return [
    cache.serialize(),
    cache.hasStateChanged,
    cache.getAccessToken({ username: 'ada@contoso.com', scopes: 'Mail.Read' }),
    cache.removeAccount({ username: 'ada@contoso.com' }),
    { cachePlugin: createCachePlugin(tokenBackend, { tokenKey: 'user-42' }) },
  ];
}

export async function failures(account: Account): Promise<void> {
  try {
    await account.getAccessToken();
  } catch (error) {
    if (NotAuthenticatedError.is(error)) console.log('nobody is signed in');
    else if (InteractionRequiredError.is(error)) console.log(error.errorCode, error.suberror, error.claims, error.hint);
    else throw error;
  }
}
