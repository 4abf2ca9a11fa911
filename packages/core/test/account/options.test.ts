import { MemoryTokenBackend } from '@tokenry/memory';
import { describe, expect, it } from 'vitest';
import { Account } from '../../src/account.js';
import type { AccountOptions } from '../../src/account-options.js';
import { MSGraphProtocol } from '../../src/protocol/graph.js';
import { ADA, openAccountStage, PUBLIC, WEB } from './stage.js';

const make = (options: object, credentials: unknown = WEB) =>
  new Account(credentials as typeof WEB, { tokenBackend: new MemoryTokenBackend(), ...options } as AccountOptions);
const thrown = (work: () => unknown): { code?: string; message: string } => {
  try {
    work();
  } catch (error) {
    return error as { code?: string; message: string };
  }
  throw new Error('This should have thrown.');
};

describe('B30: an option that does not exist', () => {
  it.each([
    ['token_backend', 'tokenBackend'],
    ['scope', 'scopes'],
    ['tenantID', 'tenantId'],
    ['authFlow', undefined],
    ['requestRetry', 'requestRetries'],
    ['timeout', 'timeoutMs'],
    ['userName', 'username'],
    ['proxi', 'proxy'],
  ])('"%s" is refused at run time, with the nearest name (%s)', (name, nearest) => {
    const error = thrown(() => make({ [name]: 'x' }));
    expect(error.code).toBe('TOKENRY_UNKNOWN_OPTION');
    expect(error.message).toContain(`"${name}"`);
    if (nearest) expect(error.message).toContain(`"${nearest}"`);
  });

  it('is refused by the compiler', () => {
    // @ts-expect-error there is no such option
    const wrong: AccountOptions = { tokenBackend: new MemoryTokenBackend(), scope: 'basic' };
    expect(() => new Account(WEB, wrong)).toThrow(TypeError);
  });

  it.each([
    ['credentials', () => make({}, { clientId: 'x', clientSecrets: 'secret-TEST-x' })],
    ['cloud', () => make({ cloud: 'usgov-dot' })],
    ['lease', () => make({ lease: { ttl: 1 } })],
    ['backend', () => new MemoryTokenBackend({ keyPrefx: 'a' } as object)],
  ])('is refused in %s too', (_where, work) => {
    const error = thrown(work);
    expect(error.code).toMatch(/^TOKENRY_(UNKNOWN_OPTION|INVALID_ARGUMENT)$/);
    expect(error.message).toMatch(/did you mean|Valid options/);
    expect(error.message).not.toContain('secret-TEST');
  });

  it('a flow that does not exist is refused for any provider', () => {
    const provider = { issuer: 'https://login.example', clientId: 'c', environments: ['login.example'] };
    const rest = { exchange: async () => {}, classify: () => ({ kind: 'transient' }) };
    const error = thrown(() => make({ provider: { ...provider, ...rest }, authFlowType: 'credential' }));
    expect(error.message).toContain('authFlowType: unknown flow "credential"');
  });

  it.each([[5], [null], [new Set(['basic'])], [['basic', 5]]])('scopes of %o are refused', async (scopes) => {
    expect(thrown(() => make({ scopes })).code).toBe('TOKENRY_INVALID_ARGUMENT');
    const wrong = make({ scopes: 'basic' }).getAccessToken({ scopes: scopes as never });
    await expect(wrong).rejects.toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT' });
  });

  it('an empty list of flow keys is refused: flows would not be encrypted', () => {
    expect(thrown(() => make({ flowKeys: [] })).message).toContain('flowKeys');
  });

  it('a value that cannot work says so', () => {
    expect(thrown(() => new Account(WEB, {} as AccountOptions)).message).toContain('tokenBackend');
    expect(thrown(() => make({ tokenBackend: {} })).message).toContain('@tokenry/filesystem');
    expect(thrown(() => make({ softWindowMs: -1 })).code).toBe('TOKENRY_OUT_OF_RANGE');
    expect(thrown(() => make({ lease: { ttlMs: 10, renewEveryMs: 20 } })).code).toBe('TOKENRY_OUT_OF_RANGE');
    expect(thrown(() => make({ authFlowType: 'certificate' })).code).toBe('TOKENRY_INVALID_ARGUMENT');
    expect(thrown(() => make({ authFlowType: 'credentials' })).message).toContain('tenantId');
    expect(thrown(() => make({ authFlowType: 'authorization' }, PUBLIC)).message).toContain('secret');
    expect(thrown(() => make({ tenantId: 'a/b' })).code).toBe('TOKENRY_INVALID_ARGUMENT');
    expect(thrown(() => make({ tokenKey: '' })).code).toMatch(/^TOKENRY_/);
    expect(thrown(() => make({}, ['id', ''])).message).toContain('clientSecret is empty');
  });
});

describe('an option of the wrong kind', () => {
  it.each([
    ['homeAccountId', ''],
    ['username', ''],
    ['username', 7],
    ['password', ''],
    ['redirectUri', ''],
    ['protocol', MSGraphProtocol],
    ['provider', {}],
    ['provider', { issuer: 'i', clientId: 'c', exchange: async () => {}, classify: () => ({ kind: 'transient' }) }],
    ['provider', { issuer: 'i', clientId: 'c', environments: [], exchange: () => {}, classify: () => {} }],
    ['clientCapabilities', 'cp1'],
    ['allowedHosts', 'contoso.sharepoint.com'],
    ['backgroundRefresh', 'false'],
    ['refreshWithoutLease', 'false'],
    ['raiseHttpErrors', 'no'],
    ['retryUnsafe', 'false'],
    ['verifyTls', 0],
    ['defaultHeaders', 'Prefer: x'],
    ['jsonReplacer', {}],
    ['clock', { now: () => 0 }],
    ['flowKeys', [new Uint8Array(16)]],
  ])('%s is refused when the account is made: %o', (name, value) => {
    const error = thrown(() => make({ [name]: value }));
    expect(error.code).toBe('TOKENRY_INVALID_ARGUMENT');
    expect(error.message).toContain(name);
  });

  it('a view is made for nobody without a name', () => {
    const account = make({});
    for (const options of [{ homeAccountId: '' }, { username: '' }, { username: 7 }])
      expect(thrown(() => account.forKey('user-42', options as object)).code).toBe('TOKENRY_INVALID_ARGUMENT');
  });
});

describe('the cloud', () => {
  it.each([
    ['global', 'https://login.microsoftonline.com', 'graph.microsoft.com'],
    ['usgov', 'https://login.microsoftonline.us', 'graph.microsoft.us'],
    ['usgov-dod', 'https://login.microsoftonline.us', 'dod-graph.microsoft.us'],
    ['china', 'https://login.partner.microsoftonline.cn', 'microsoftgraph.chinacloudapi.cn'],
  ] as const)('%s sets authority, Graph host and scope prefix together', async (cloud, authority, graphHost) => {
    const account = make({ cloud, scopes: 'basic', redirectUri: 'https://app.example/callback' });
    expect(account.protocol.serviceUrl).toBe(`https://${graphHost}/v1.0/`);
    expect(account.protocol.prefixScope('User.Read')).toBe(`https://${graphHost}/User.Read`);
    const { url } = await account.getAuthorizationUrl();
    expect(new URL(url).origin).toBe(authority);
    expect(new URL(url).searchParams.get('scope')).toContain(`https://${graphHost}/User.Read`);
  });

  it('may be one’s own', async () => {
    const cloud = { name: 'lab', authority: 'https://login.lab.example', graphHost: 'graph.lab.example' };
    const account = make({ cloud, scopes: 'basic', tenantId: 'lab.example' });
    expect(account.protocol.serviceUrl).toBe('https://graph.lab.example/v1.0/');
    const { url } = await account.getAuthorizationUrl({ redirectUri: 'https://app.example/' });
    expect(url.startsWith('https://login.lab.example/lab.example/')).toBe(true);
    expect(thrown(() => make({ cloud: { ...cloud, authority: 'http://login.lab.example' } })).message).toContain('https');
    expect(thrown(() => make({ cloud: { ...cloud, graphHost: 'https://x' } })).message).toContain('without scheme');
  });

  it('yields to a protocol that is given', () => {
    const protocol = new MSGraphProtocol({ apiVersion: 'beta' });
    expect(make({ protocol }).protocol.serviceUrl).toBe('https://graph.microsoft.com/beta/');
  });
});

describe('closing', () => {
  it('waits for the refresh in flight and what it saves', async () => {
    await using stage = await openAccountStage();
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    const account = await stage.signedIn({ tokenBackend });
    const { token } = await account.getAccessToken();
    stage.authority.faults.add({ endpoint: 'token', delayMs: 200, times: 1 });
    const renewed = account.getAccessToken({ forceRefresh: true });
    await account.close();
    const stored = (await tokenBackend.loadToken({ fresh: true }))?.getAccessToken();
    expect(stored?.secret).not.toBe(token);
    expect((await renewed).token).toBe(stored?.secret);
  });

  it('happens by itself with "await using", twice if need be, and leaves the backend open', async () => {
    await using stage = await openAccountStage();
    const tokenBackend = new MemoryTokenBackend({ clock: stage.clock });
    {
      await using account = new Account(WEB, { ...stage.authority.accountOptions, tokenBackend, scopes: 'basic' });
      await stage.signIn(account);
      await account.close();
    }
    expect(await tokenBackend.checkToken()).toBe(true);
  });

  it('is not the end: what is asked later opens connections again', async () => {
    await using stage = await openAccountStage();
    const account = await stage.signedIn();
    await account.close();
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect(await account.verify()).toBe(true);
  });
});
