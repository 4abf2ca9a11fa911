import { expect, test } from 'vitest';
import { TokenCache } from '../../src/tokens/token-cache.js';
import {
  ADA,
  BOB,
  CLIENT,
  GUEST_TENANT,
  HOME_TENANT,
  legacyFile,
  NOON,
  NOON_MS,
  node7Record,
  node38Record,
  pythonRecord,
  together,
} from './fixtures/records.js';

const written = (cache: TokenCache) => JSON.parse(cache.serialize()) as Record<string, Record<string, Record<string, unknown>>>;
const rtKey = `${ADA}-login.windows.net-refreshtoken-${CLIENT}---`;

test('a record of msal-node 7 is taken as it is', () => {
  const record = node7Record();
  const cache = TokenCache.deserialize(JSON.stringify(record));
  expect(written(cache)).toEqual(record);
  expect(cache.hasStateChanged).toBe(false);
});

test('a record of msal-node 3.8 gets the keys of msal-node 7', () => {
  expect(written(TokenCache.deserialize(JSON.stringify(node38Record())))).toEqual(node7Record());
});

test('a record of python-o365 2.1 gets canonical keys and environment and keeps every field', () => {
  const cache = TokenCache.deserialize(new TextEncoder().encode(JSON.stringify(pythonRecord())));
  const { RefreshToken = {}, Account = {}, AppMetadata = {} } = written(cache);
  expect(Object.keys(RefreshToken)).toEqual([rtKey]);
  expect(RefreshToken[rtKey]).toMatchObject({
    environment: 'login.windows.net',
    secret: 'rt-TEST-python-ada',
    target: 'https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read openid profile',
    last_modification_time: String(NOON),
  });
  expect(Object.values(Account)[0]).toMatchObject({ account_source: 'authorization_code', environment: 'login.windows.net' });
  expect(Object.keys(AppMetadata)).toEqual([`appmetadata-login.windows.net-${CLIENT}`]);
  expect(cache.hasStateChanged).toBe(false);
  expect(cache.getAccounts()).toEqual([{ homeAccountId: ADA, username: 'ada@contoso.example', tenantId: HOME_TENANT }]);
});

test('after Node refreshed a Python record, the refresh token of Node survives', () => {
  const stored = together(pythonRecord(), node7Record({ cachedAt: NOON + 3_000 }));
  const cache = TokenCache.deserialize(stored);
  expect(cache.getRefreshToken()?.secret).toBe('rt-TEST-node-ada');
  expect(Object.keys(written(cache).RefreshToken ?? {})).toEqual([rtKey]);
  expect(cache.getTokenScopes({ removeReserved: true })).toEqual([
    'https://graph.microsoft.com/Mail.Read',
    'https://graph.microsoft.com/User.Read',
  ]);
});

test('after Python refreshed a Node record, the refresh token of Python survives', () => {
  const stored = together(node7Record(), pythonRecord({ cachedAt: NOON + 3_000 }));
  expect(TokenCache.deserialize(stored).getRefreshToken()?.secret).toBe('rt-TEST-python-ada');
});

test('a time that msal-node left standing on a refresh token does not make it look old', () => {
  const node = node7Record({ cachedAt: NOON + 3_000 });
  Object.assign(node.RefreshToken?.[rtKey] ?? {}, { last_modification_time: String(NOON - 3_000) });
  const cache = TokenCache.deserialize(together(pythonRecord(), node));
  expect(cache.getRefreshToken()?.secret).toBe('rt-TEST-node-ada');
  const withoutAccessToken = { ...node, AccessToken: {} };
  expect(TokenCache.deserialize(together(pythonRecord(), withoutAccessToken)).getRefreshToken()?.secret).toBe('rt-TEST-node-ada');
});

test('without any time to go by, the refresh token under the present key survives', () => {
  const [old, present] = [node38Record(), node7Record({ tag: 'present' })];
  for (const order of [together(old, present), together(present, old)])
    expect(TokenCache.deserialize(order).getRefreshToken()?.secret).toBe('rt-TEST-node-present');
});

test.each([
  ['login.microsoftonline.com', 'login.windows.net'],
  ['login.microsoft.com', 'login.windows.net'],
  ['STS.windows.net', 'login.windows.net'],
  ['login.usgovcloudapi.net', 'login.microsoftonline.us'],
  ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn'],
  ['Login.Contoso.Example', 'login.contoso.example'],
])('entities of %s are kept under %s', (alias, environment) => {
  const cache = TokenCache.deserialize(JSON.stringify(node7Record()).replaceAll('login.windows.net', alias));
  expect(Object.values(written(cache).RefreshToken ?? {})[0]?.environment).toBe(environment);
  expect(Object.keys(written(cache).AccessToken ?? {})[0]).toContain(`-${environment}-accesstoken-`);
});

test('Python accounts of two tenants become one account with a profile for each', () => {
  const home = pythonRecord();
  const [account] = Object.values(home.Account ?? {});
  const guest = {
    Account: {
      [`${ADA}-login.microsoftonline.com-${GUEST_TENANT}`]: { ...account, realm: GUEST_TENANT, local_account_id: 'guest-oid' },
    },
  };
  const cache = TokenCache.deserialize(together(home, guest));
  expect(cache.getAccounts()).toHaveLength(1);
  const profiles = Object.values(written(cache).Account ?? {})[0]?.tenantProfiles as string[];
  expect(profiles.map((text) => JSON.parse(text))).toEqual([
    expect.objectContaining({ tenantId: HOME_TENANT, isHomeTenant: true }),
    expect.objectContaining({ tenantId: GUEST_TENANT, localAccountId: 'guest-oid', isHomeTenant: false }),
  ]);
});

test('unknown sections, unknown fields and foreign key components survive', () => {
  const record = node7Record();
  const [key = '', token] = Object.entries(record.AccessToken ?? {})[0] ?? [];
  const components = { ...token, additionalCacheKeyComponents: { fmi_path: 'x' }, custom: { deep: [1, 'two', null] } };
  const stored = {
    ...record,
    AccessToken: { [`${key}-hash`]: components },
    Custom: { a: [1, { b: null }] },
    version: 3,
    note: null,
  };
  expect(written(TokenCache.deserialize(JSON.stringify(stored)))).toEqual(stored);
  const aliased = JSON.stringify(stored).replaceAll('login.windows.net', 'login.microsoftonline.com');
  expect(written(TokenCache.deserialize(aliased))).toEqual(stored);
});

test('expired access tokens are left out on writing, and only when the time is given', () => {
  const cache = TokenCache.deserialize(JSON.stringify(node7Record()));
  expect(Object.keys(written(cache).AccessToken ?? {})).toHaveLength(1);
  const at = (now: number) => Object.keys((JSON.parse(cache.serialize({ now })) as { AccessToken: object }).AccessToken).length;
  expect(at(NOON_MS + 3_599_000)).toBe(1);
  expect(at(NOON_MS + 3_600_000)).toBe(0);
  expect(cache.hasStateChanged).toBe(false);
});

test('tokens of the program itself keep their null account', () => {
  const record = pythonRecord();
  const [key = '', token] = Object.entries(record.AccessToken ?? {})[0] ?? [];
  const app = { AccessToken: { [key.replace(ADA, '')]: { ...token, home_account_id: null } } };
  const cache = TokenCache.deserialize(JSON.stringify(app));
  expect(Object.values(written(cache).AccessToken ?? {})[0]?.home_account_id).toBeNull();
  expect(cache.getAccessToken()).toMatchObject({ homeAccountId: null });
});

test('a python-o365 2.0 file is kept whole and offers its refresh token for the import', () => {
  const cache = TokenCache.deserialize(legacyFile);
  expect(cache.legacyRefreshToken).toEqual({
    secret: 'rt-TEST-legacy',
    scopes: ['https://graph.microsoft.com/Mail.Read', 'offline_access'],
  });
  expect(cache.hasData).toBe(false);
  expect(written(cache)).toMatchObject(JSON.parse(legacyFile));
  const again = TokenCache.deserialize(cache.serialize());
  expect(again.legacyRefreshToken?.secret).toBe('rt-TEST-legacy');
  expect(again.removeRefreshToken('rt-TEST-legacy')).toBe(true);
  expect(again.legacyRefreshToken).toBeUndefined();
  expect(again.serialize()).not.toContain('legacy');
});

test('records of several accounts keep them all', () => {
  const stored = together(pythonRecord(), node7Record({ home: BOB, username: 'bob@contoso.example', tag: 'bob' }));
  const cache = TokenCache.deserialize(stored);
  expect(
    cache
      .getAccounts()
      .map(({ username }) => username)
      .sort(),
  ).toEqual(['ada@contoso.example', 'bob@contoso.example']);
});
