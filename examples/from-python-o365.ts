// The code of docs/from-python-o365.md: typechecked here, and a test compares the two (test-e2e/docs.test.ts).
import {
  Account,
  type AccountOptions,
  BaseTokenBackend,
  deviceCodeConsent,
  HttpError,
  InteractionRequiredError,
  ianaToWindows,
  JweCryptographyManager,
  loopbackConsent,
  MSBusinessCentral365Protocol,
  MSGraphProtocol,
  Protocol,
  pasteConsent,
  type RefreshRequest,
  SignInRequiredError,
  type TokenBackend,
  type TokenCache,
  windowsToIana,
} from '@tokenry/core';
import { EnvTokenBackend } from '@tokenry/env';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import { MemoryTokenBackend } from '@tokenry/memory';
import { S3TokenBackend } from '@tokenry/s3';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';

const tokenBackend = new FileSystemTokenBackend();
const options: AccountOptions = { tokenBackend, scopes: 'basic' };
const privateKey = '-----BEGIN PRIVATE KEY-----…';
const certificate = '-----BEGIN CERTIFICATE-----…';
const key = new Uint8Array(32);

export async function firstProgram(): Promise<void> {
  const account = new Account(['client-id'], {
    tokenBackend: new FileSystemTokenBackend({ tokenPath: '.' }),
    scopes: ['basic', 'message_all'],
  });
  if (!(await account.isAuthenticated())) await account.authenticate();
  const me = await account.getCurrentUser();
  console.log(me.displayName);
}

export function credentials(): Account[] {
  return [
    new Account(['client-id', 'secret'], options),
    new Account(['client-id'], options),
    new Account(['client-id', 'secret'], { ...options, authFlowType: 'credentials', tenantId: 'contoso.com' }),
    new Account({ clientId: 'client-id', clientCertificate: { privateKey, certificate } }, options),
    new Account({ clientId: 'client-id', clientCertificate: { pfx: key, passphrase: '…' } }, options),
    new Account({ clientId: 'client-id', clientAssertion: async ({ tokenEndpoint }) => sign(tokenEndpoint) }, options),
    new Account(['client-id'], { ...options, authFlowType: 'password', username: 'ada@contoso.com', password: '…' }),
    new Account({ managedIdentity: true }, options),
    new Account({ accessToken: async () => ({ token: '…', expiresAt: Date.now() + 3_600_000 }) }, options),
  ];
}
declare function sign(audience: string): Promise<string>;

export function accountOptions(protocol: Protocol): AccountOptions[] {
  return [
    { ...options, username: 'ada@contoso.com' },
    { ...options, protocol },
    { ...options, mainResource: 'user:shared@contoso.com' },
    { ...options, tenantId: 'contoso.com' },
    { ...options, cloud: 'china' },
    { ...options, proxy: 'http://user:pa%40ss@proxy.example:8080' },
    { ...options, proxy: { host: 'proxy.example', port: 8080, username: 'user', password: 'p@ss' } },
    { ...options, requestsDelayMs: 200 },
    { ...options, raiseHttpErrors: false },
    { ...options, requestRetries: 3, retryUnsafe: true },
    { ...options, timeoutMs: 30_000, connectTimeoutMs: 10_000 },
    { ...options, verifyTls: false, ca: certificate },
    { ...options, defaultHeaders: { Prefer: 'outlook.body-content-type="text"' } },
    { ...options, jsonReplacer: (_key, value) => (typeof value === 'bigint' ? String(value) : value) },
  ];
}

export async function signIn(account: Account): Promise<void> {
  await account.authenticate({ scopes: ['basic', 'calendar_all'] });
  await account.authenticate({ handleConsent: loopbackConsent({ port: 8400 }) });
  await account.authenticate({ handleConsent: deviceCodeConsent() });
  await account.authenticate({ handleConsent: pasteConsent(), redirectUri: 'https://app.example/callback' });
  await account.authenticate({ handleConsent: async ({ url }) => askSomehow(url) });
  await account.authenticate({ prompt: 'select_account', loginHint: 'ada@contoso.com', domainHint: 'contoso.com' });
  await account.authenticate({ storeToken: false });
}
declare function askSomehow(url: string): Promise<string>;

export async function webApplication(account: Account, session: Map<string, string>, redirected: URL): Promise<void> {
  const { url, flow } = await account.getAuthorizationUrl({ redirectUri: 'https://app.example/callback' });
  session.set(flow.id, JSON.stringify(flow));
  console.log(url);

  const pending = JSON.parse(session.get(redirected.searchParams.get('state') ?? '') ?? 'null');
  await account.requestToken(redirected, { flow: pending });
}

export async function accounts(account: Account): Promise<void> {
  await account.isAuthenticated();
  await account.verify();
  account.username = 'ben@contoso.com';
  await account.getAuthenticatedUsernames();
  await account.getAccounts();
  await account.getCurrentUser();
  console.log(account.con === account.connection);
  await account.signOut();
}

export async function requests(account: Account): Promise<void> {
  const { connection } = account;
  await connection.get('/me/messages', { params: { $top: 5 } });
  await connection.post('/me/sendMail', { message: {} });
  await connection.put('/me/photo/$value', new Uint8Array());
  await connection.patch('/me', { jobTitle: '…' });
  await connection.delete('/me/messages/1');
  await connection.naiveRequest('https://api.example/status');
  await account.fetch('https://graph.microsoft.com/v1.0/me');
  console.log(account.resourceUrl('messages', 'user:shared@contoso.com'));
}

export async function refreshing(account: Account): Promise<void> {
  await account.getAccessToken();
  await account.connection.refreshToken();
  await account.keepAlive();
  await account.getAuthorizationHeader();
}

export function protocols(): unknown[] {
  const protocol = new MSGraphProtocol({ apiVersion: 'beta', defaultResource: 'me', timezone: 'Europe/Madrid' });
  class ContosoProtocol extends Protocol {
    constructor() {
      super({ protocolUrl: 'https://api.contoso.example/', apiVersion: 'v2', scopePrefix: 'api://contoso/' });
    }
  }
  return [
    new MSBusinessCentral365Protocol({ environment: 'sandbox' }),
    new ContosoProtocol(),
    protocol.serviceUrl,
    protocol.getScopesFor(['basic', 'Mail.Read', 'https://outlook.office.com/IMAP.AccessAsUser.All']),
    protocol.prefixScope('Mail.Read'),
    protocol.convertCase('received_date_time'),
    Protocol.toApiCase('receivedDateTime'),
    protocol.getServiceKeyword('message_type'),
    protocol.getServiceKeyword('prefer_timezone_header'),
    protocol.maxTopValue,
    ianaToWindows('Europe/Madrid'),
    windowsToIana('Romance Standard Time'),
  ];
}

export function backends(): TokenBackend[] {
  return [
    new FileSystemTokenBackend({ tokenPath: '/srv/app', tokenFilename: 'o365_token.txt' }),
    new MemoryTokenBackend(),
    new EnvTokenBackend({ tokenEnvName: 'O365TOKEN' }),
    new FirestoreTokenBackend({ collection: 'tokens', docId: 'o365_token', fieldName: 'token' }),
    new S3TokenBackend({ bucketName: 'my-bucket', filename: 'o365_token.txt' }),
    new SecretsManagerTokenBackend({ secretName: 'o365-token', clientOptions: { region: 'eu-central-1' } }),
    new FileSystemTokenBackend({ cryptographyManager: new JweCryptographyManager({ keys: { k1: key }, activeKid: 'k1' }) }),
    new FileSystemTokenBackend({ cryptographyManager: { encrypt: async (data) => data, decrypt: async (data) => data } }),
  ];
}

export async function backendMethods(cache: TokenCache): Promise<void> {
  await tokenBackend.loadToken();
  await tokenBackend.saveToken(cache);
  await tokenBackend.updateToken((stored) => void stored.removeAccount({ username: 'ada@contoso.com' }));
  await tokenBackend.checkToken();
  await tokenBackend.deleteToken();
  await tokenBackend.loadToken({ tokenKey: 'user-42' });
}

export function cacheQueries(cache: TokenCache): unknown[] {
  const username = 'ada@contoso.com';
  return [
    cache.hasData,
    cache.hasStateChanged,
    cache.getAccounts(),
    cache.getAccount({ username }),
    cache.getAccessToken({ username, scopes: 'Mail.Read' }),
    cache.getRefreshToken({ username }),
    cache.getIdToken({ username }),
    cache.getTokenScopes({ username, removeReserved: true }),
    cache.tokenExpiresAt({ username }),
    cache.tokenIsExpired({ username }),
    cache.tokenIsLongLived({ username }),
    cache.removeAccount({ username }),
    cache.serialize(),
    cache.exportForPython(),
  ];
}

// The recipe of LockableFileSystemTokenBackend, on any backend. Not needed: leases do it.
export class CarefulTokenBackend extends MemoryTokenBackend {
  override async shouldRefreshToken(request: RefreshRequest): Promise<boolean | null> {
    if (await request.reload()) return false; // somebody else refreshed
    await request.refresh(); // under the lease, saved
    return null; // done here
  }
}

export abstract class RowTokenBackend extends BaseTokenBackend {
  constructor() {
    super({ capabilities: { conditionalWrites: true, leases: true, list: false, durable: true, shared: true } });
  }
}

export async function failures(account: Account): Promise<void> {
  try {
    await account.connection.get('/me');
  } catch (error) {
    if (InteractionRequiredError.is(error)) console.log(error.errorCode, error.hint, error.claims);
    else if (SignInRequiredError.is(error)) console.log('sign in:', error.reason);
    else if (HttpError.is(error)) console.log(error.status, error.graphCode, error.requestId);
    else throw error;
  }
}
