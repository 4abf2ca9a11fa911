import {
  ConfidentialClientApplication,
  type INetworkModule,
  type NetworkRequestOptions,
  type NetworkResponse,
} from '@azure/msal-node';
import { expect, test } from 'vitest';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event, GRAPH } from './fixtures/answers.js';
import { ADA, BOB, CLIENT, HOME_TENANT, node7Record, node38Record, pythonRecord, together } from './fixtures/records.js';

const NOW = Date.now();
const NOW_SECONDS = Math.floor(NOW / 1_000);
const SCOPES = [`${GRAPH}/User.Read`];

/** The token endpoint: notes which refresh token was sent and answers with the next one. */
class TokenEndpoint implements INetworkModule {
  readonly sent: string[] = [];
  sendGetRequestAsync<T>(): Promise<NetworkResponse<T>> {
    throw new Error('msal-node knows this authority without asking');
  }
  async sendPostRequestAsync<T>(_url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    this.sent.push(new URLSearchParams(options?.body).get('refresh_token') ?? '');
    const body = answer({ tag: `msal-${this.sent.length}`, scope: `${SCOPES[0]} openid profile` });
    return { headers: {}, status: 200, body: body as T };
  }
}

function msal(record: string) {
  const endpoint = new TokenEndpoint();
  const app = new ConfidentialClientApplication({
    auth: { clientId: CLIENT, clientSecret: 'secret-TEST-client', authority: `https://login.microsoftonline.com/${HOME_TENANT}` },
    system: { networkClient: endpoint },
  });
  app.getTokenCache().deserialize(record);
  return { app, endpoint, cache: app.getTokenCache() };
}

const ours = () => {
  const cache = new TokenCache();
  cache.add(event(answer({ scope: `${SCOPES[0]} openid profile` }), { now: NOW }));
  cache.add(event(answer({ tag: 'bob', home: BOB, username: 'bob@contoso.example' }), { now: NOW }));
  return cache;
};
async function silent({ app, cache }: ReturnType<typeof msal>, forceRefresh = false) {
  const account = await cache.getAccountByHomeId(ADA);
  if (!account) throw new Error('msal-node does not list the account');
  return app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh });
}

test('msal-node lists the accounts of our record and takes its access token without asking anybody', async () => {
  const node = msal(ours().serialize());
  const accounts = await node.cache.getAllAccounts();
  expect(accounts.map(({ username, homeAccountId, tenantId, name }) => ({ username, homeAccountId, tenantId, name }))).toEqual([
    { username: 'ada@contoso.example', homeAccountId: ADA, tenantId: HOME_TENANT, name: 'Ada Lovelace' },
    { username: 'bob@contoso.example', homeAccountId: BOB, tenantId: HOME_TENANT, name: 'Ada Lovelace' },
  ]);
  expect(await silent(node)).toMatchObject({ accessToken: 'at-TEST-1', fromCache: true, tenantId: HOME_TENANT });
  expect(node.endpoint.sent).toEqual([]);
});

test('what msal-node writes after refreshing replaces our entries in place and loads back', async () => {
  const cache = ours();
  const node = msal(cache.serialize());
  for (let i = 0; i < 3; i++) await silent(node, true);
  expect(node.endpoint.sent).toEqual(['rt-TEST-1', 'rt-TEST-msal-1', 'rt-TEST-msal-2']);
  const written = TokenCache.deserialize(node.cache.serialize());
  expect(written.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-msal-3');
  expect(written.getAccessToken({ homeAccountId: ADA, scopes: SCOPES })?.secret).toBe('at-TEST-msal-3');
  expect([written.state.RefreshToken.size, written.state.Account.size]).toEqual([2, 2]);
  expect(JSON.parse(written.serialize())).toEqual(JSON.parse(node.cache.serialize()));
});

test.each([
  ['python-o365 2.1', pythonRecord],
  ['msal-node 3.8', node38Record],
])('once we have read a record of %s, msal-node spends each refresh token once', async (_writer, record) => {
  const node = msal(TokenCache.deserialize(JSON.stringify(record({ cachedAt: NOW_SECONDS }))).serialize());
  for (let i = 0; i < 3; i++) await silent(node, true);
  expect(new Set(node.endpoint.sent).size).toBe(3);
  expect(node.endpoint.sent.slice(1)).toEqual(['rt-TEST-msal-1', 'rt-TEST-msal-2']);
});

test('the trap itself: without us msal-node spends the old refresh token again and again', async () => {
  const node = msal(JSON.stringify(pythonRecord({ cachedAt: NOW_SECONDS })));
  for (let i = 0; i < 3; i++) await silent(node, true);
  expect(node.endpoint.sent).toEqual(['rt-TEST-python-ada', 'rt-TEST-python-ada', 'rt-TEST-python-ada']);
  const healed = TokenCache.deserialize(node.cache.serialize());
  expect(healed.state.RefreshToken.size).toBe(1);
  // Both may be of one second here: then the entry under today's key counts.
  expect(healed.getRefreshToken()?.secret).toBe('rt-TEST-msal-3');
});

test('signing out through msal-node signs out, for a record that came from Python too', async () => {
  const node = msal(TokenCache.deserialize(JSON.stringify(pythonRecord({ cachedAt: NOW_SECONDS }))).serialize());
  await silent(node, true);
  const account = await node.cache.getAccountByHomeId(ADA);
  if (account) await node.cache.removeAccount(account);
  expect(TokenCache.deserialize(node.cache.serialize()).hasData).toBe(false);
});

test('what only we know survives msal-node', async () => {
  const cache = new TokenCache();
  cache.add(event(answer({ scope: 'User.Read' }), { now: NOW, scopes: ['User.Read', 'Mail.Send'] }));
  const record = { ...JSON.parse(cache.serialize()), Custom: { kept: true } };
  const node = msal(JSON.stringify(record));
  await node.cache.getAllAccounts();
  const written = TokenCache.deserialize(node.cache.serialize());
  expect(written.getAccessToken({ scopes: ['User.Read', 'Mail.Send'] })?.secret).toBe('at-TEST-1');
  expect(JSON.parse(written.serialize())).toMatchObject({ Custom: { kept: true }, Account: record.Account });
});

test('an export for python-o365 has its keys, its environment and scopes on every refresh token', () => {
  const python = pythonRecord();
  const exported = JSON.parse(TokenCache.deserialize(JSON.stringify(python)).exportForPython());
  for (const section of ['AccessToken', 'IdToken', 'Account', 'AppMetadata']) expect(exported[section]).toEqual(python[section]);
  const target = 'https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read openid profile';
  expect(Object.entries(exported.RefreshToken)).toEqual(Object.entries(python.RefreshToken ?? {}));
  expect(Object.values<{ target: string }>(exported.RefreshToken)[0]?.target).toBe(target);
});

test("a refresh token of msal-node gets the access token's scopes in the export, and .default where there is none", () => {
  const record = node7Record();
  const exported = (entities: object) =>
    Object.entries<{ target: string }>(
      JSON.parse(TokenCache.deserialize(JSON.stringify(entities)).exportForPython()).RefreshToken,
    )[0];
  const scopes = 'https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read';
  expect(exported(record)?.[1].target).toBe(scopes);
  expect(exported(record)?.[0]).toBe(`${ADA}-login.microsoftonline.com-refreshtoken-${CLIENT}--${scopes}`.toLowerCase());
  expect(exported({ ...record, AccessToken: {} })?.[1].target).toBe('https://graph.microsoft.com/.default');
});

test('tokens of the program itself have a null account in the export, as python-o365 looks for them', () => {
  const cache = new TokenCache();
  cache.add(
    event({ access_token: 'at-TEST-app', expires_in: 60 }, { grantType: 'client_credentials', scopes: [`${GRAPH}/.default`] }),
  );
  const [[key, token] = []] = Object.entries<{ home_account_id: unknown }>(JSON.parse(cache.exportForPython()).AccessToken);
  expect(key).toBe(`-login.microsoftonline.com-accesstoken-${CLIENT}-${HOME_TENANT}-https://graph.microsoft.com/.default`);
  expect(token?.home_account_id).toBeNull();
});

test('an export loads back as the same record', () => {
  const cache = TokenCache.deserialize(together(node7Record(), node7Record({ home: BOB, tag: 'bob' })));
  const back = TokenCache.deserialize(cache.exportForPython());
  const strip = (text: string) => JSON.parse(text, (name, value) => (name === 'target' ? undefined : value));
  expect(strip(back.serialize())).toEqual(strip(cache.serialize()));
});
