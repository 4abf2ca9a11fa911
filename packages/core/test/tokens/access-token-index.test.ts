import { expect, test } from 'vitest';
import { AccessTokenIndex, type AccessTokenRequest } from '../../src/tokens/access-token-index.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event, GRAPH } from './fixtures/answers.js';
import { ADA, BOB, CLIENT, GUEST_TENANT, HOME_TENANT, NOON_MS, pythonRecord } from './fixtures/records.js';

let ids = 0;
const request = (scopes: readonly string[], more: Partial<AccessTokenRequest> = {}): AccessTokenRequest => ({
  id: String(ids++),
  clientId: CLIENT,
  environments: ['login.windows.net', 'login.microsoftonline.com'],
  homeAccountId: ADA,
  scopes,
  ...more,
});
const find = (cache: TokenCache, scopes: readonly string[], more?: Partial<AccessTokenRequest>) =>
  new AccessTokenIndex(cache).find(request(scopes, more))?.secret;

test('a token is found by the scopes it contains, in any case, short or long', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ scope: `${GRAPH}/User.Read Mail.Read` })));
  for (const scopes of [['User.Read'], ['mail.read', 'openid'], [`${GRAPH}/USER.READ`, 'Mail.Read'], [`${GRAPH}/.default`]])
    expect(find(cache, scopes)).toBe('at-TEST-1');
  expect(find(cache, ['Mail.Send'])).toBeUndefined();
});

test('a token for another service is not sent to Graph, though it came first', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'sharepoint', scope: 'https://contoso.sharepoint.com/AllSites.Read' })));
  expect(find(cache, [`${GRAPH}/.default`])).toBeUndefined();
  cache.add(event(answer({ tag: 'graph', scope: 'User.Read' }), { grantType: 'refresh_token' }));
  expect(find(cache, ['User.Read'])).toBe('at-TEST-graph');
  expect(find(cache, [`${GRAPH}/.default`])).toBe('at-TEST-graph');
});

test('of several that would do the newest is taken', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'old', scope: 'User.Read Mail.Read' })));
  cache.add(event(answer({ tag: 'new', scope: 'User.Read Files.Read' }), { now: NOON_MS + 1_000, grantType: 'refresh_token' }));
  expect(find(cache, ['User.Read'])).toBe('at-TEST-new');
  expect(find(cache, ['Mail.Read'])).toBe('at-TEST-old');
});

test('among those of one second the last that was added is taken', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'first', scope: 'User.Read Mail.Read' })));
  cache.add(event(answer({ tag: 'second', scope: 'User.Read Files.Read' }), { grantType: 'refresh_token' }));
  expect(find(cache, ['User.Read'])).toBe('at-TEST-second');
});

test('a grant shorter than asked answers that request, and no other, until it expires', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ scope: 'User.Read' }), { scopes: ['User.Read', 'Mail.Read'] }));
  expect(find(cache, ['Mail.Read', 'User.Read'])).toBe('at-TEST-1');
  expect(find(cache, ['Mail.Read'])).toBeUndefined();
  const read = TokenCache.deserialize(cache.serialize());
  expect(new AccessTokenIndex(read).find(request(['User.Read', 'Mail.Read']))).toMatchObject({
    expiresAt: NOON_MS + 3_600_000,
    scopes: ['User.Read'],
  });
});

test('two requests with the same short grant do not drive each other out', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: '1', scope: 'User.Read' }), { scopes: ['User.Read', 'Mail.Read'] }));
  const later = { now: NOON_MS + 600_000, grantType: 'refresh_token' };
  cache.add(event(answer({ tag: '2', scope: 'User.Read' }), { ...later, scopes: ['User.Read', 'Files.Read'] }));
  const index = new AccessTokenIndex(cache);
  expect(index.find(request(['User.Read', 'Files.Read']))).toMatchObject({ secret: 'at-TEST-2', expiresAt: NOON_MS + 4_200_000 });
  // The older answer is believed no longer than the server's own answer was good for.
  expect(index.find(request(['User.Read', 'Mail.Read']))).toMatchObject({ secret: 'at-TEST-2', expiresAt: NOON_MS + 3_600_000 });
  cache.add(event(answer({ tag: '3', scope: 'User.Read' }), { now: NOON_MS + 3_601_000, grantType: 'refresh_token' }));
  expect(find(cache, ['User.Read', 'Mail.Read'])).toBeUndefined();
  expect(find(cache, ['User.Read', 'Files.Read'])).toBe('at-TEST-3');
});

test('.default that is answered under another name of the resource is found again', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ scope: 'api://orders/access' }), { scopes: ['aaaa-guid/.default'] }));
  expect(find(cache, ['aaaa-guid/.default'])).toBe('at-TEST-1');
});

test('an answer to nothing but openid is found again', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ scope: 'https://www.googleapis.com/auth/userinfo.email openid' }), { scopes: ['openid', 'email'] }));
  expect(find(cache, ['openid', 'email'])).toBe('at-TEST-1');
});

test('tenants of one account are kept apart, and naming none means the home tenant', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'guest', tid: GUEST_TENANT, oid: 'guest-oid' }), { tenantId: GUEST_TENANT }));
  expect(find(cache, ['User.Read'])).toBeUndefined();
  cache.add(event(answer({ tag: 'home' }), { grantType: 'refresh_token' }));
  for (const tenantId of [undefined, 'common', 'organizations', HOME_TENANT, HOME_TENANT.toUpperCase()])
    expect(find(cache, ['User.Read'], tenantId === undefined ? {} : { tenantId })).toBe('at-TEST-home');
  expect(find(cache, ['User.Read'], { tenantId: GUEST_TENANT })).toBe('at-TEST-guest');
});

test('a tenant named by its domain is found by both its names', () => {
  const cache = new TokenCache();
  cache.add(event(answer(), { tenantId: 'Contoso.example' }));
  expect(find(cache, ['User.Read'], { tenantId: 'contoso.example' })).toBe('at-TEST-1');
  expect(find(cache, ['User.Read'], { tenantId: HOME_TENANT })).toBe('at-TEST-1');
  const bare = answer({ tag: '2', without: ['id_token'], scope: 'User.Read' });
  cache.add(event(bare, { tenantId: 'contoso.example', grantType: 'refresh_token' }));
  expect(find(cache, ['User.Read'], { tenantId: 'contoso.example' })).toBe('at-TEST-2');
  expect(find(cache, ['User.Read'])).toBe('at-TEST-2');
});

test("MSAL Python's realm 'common' is the home tenant", () => {
  const stored = JSON.stringify(pythonRecord()).replaceAll(`"realm":"${HOME_TENANT}"`, '"realm":"organizations"');
  const cache = TokenCache.deserialize(stored);
  expect(find(cache, ['User.Read'])).toBe('at-TEST-python-ada');
  expect(find(cache, ['User.Read'], { tenantId: HOME_TENANT })).toBe('at-TEST-python-ada');
  expect(find(cache, ['User.Read'], { tenantId: GUEST_TENANT })).toBeUndefined();
});

test('tokens of other clients, accounts and clouds are not found', () => {
  const cache = new TokenCache();
  cache.add(event(answer()));
  expect(find(cache, ['User.Read'], { clientId: 'other' })).toBeUndefined();
  expect(find(cache, ['User.Read'], { homeAccountId: BOB })).toBeUndefined();
  expect(find(cache, ['User.Read'], { homeAccountId: null })).toBeUndefined();
  expect(find(cache, ['User.Read'], { environments: ['login.microsoftonline.us'] })).toBeUndefined();
  expect(find(cache, ['User.Read'], { environments: ['LOGIN.microsoft.com'] })).toBe('at-TEST-1');
});

test('on-behalf-of tokens are found by their assertion only', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'obo' }), { userAssertionHash: 'hash-1' }));
  expect(find(cache, ['User.Read'], { homeAccountId: null, userAssertionHash: 'hash-1' })).toBe('at-TEST-obo');
  expect(find(cache, ['User.Read'], { userAssertionHash: 'hash-1' })).toBe('at-TEST-obo');
  expect(find(cache, ['User.Read'], { userAssertionHash: 'hash-2' })).toBeUndefined();
  expect(find(cache, ['User.Read'])).toBeUndefined();
});

test('a token of the program itself is found without naming the tenant', () => {
  const cache = new TokenCache();
  cache.add(
    event({ access_token: 'at-TEST-app', expires_in: 60 }, { grantType: 'client_credentials', scopes: [`${GRAPH}/.default`] }),
  );
  expect(find(cache, [`${GRAPH}/.default`], { homeAccountId: null })).toBe('at-TEST-app');
  expect(find(cache, [`${GRAPH}/.default`], { homeAccountId: null, tenantId: HOME_TENANT })).toBe('at-TEST-app');
  expect(find(cache, [`${GRAPH}/.default`], { homeAccountId: null, tenantId: GUEST_TENANT })).toBeUndefined();
});

test('one request id gets one answer, also where it is none', () => {
  const cache = new TokenCache();
  cache.add(event(answer()));
  const index = new AccessTokenIndex(cache);
  const known = request(['User.Read']);
  expect(index.find(known)).toBe(index.find({ ...known, scopes: ['Mail.Send'] }));
  const missing = request(['Mail.Send']);
  expect(index.find(missing)).toBeUndefined();
  expect(index.find({ ...missing, scopes: ['User.Read'] })).toBeUndefined();
});

test('in a record of many accounts each finds its own token', () => {
  const cache = new TokenCache();
  for (let i = 0; i < 40; i++) cache.add(event(answer({ tag: `${i}`, home: `user-${i}.${HOME_TENANT}` })));
  const index = new AccessTokenIndex(cache);
  for (const i of [0, 17, 39])
    expect(index.find(request(['User.Read'], { homeAccountId: `USER-${i}.${HOME_TENANT}` }))?.secret).toBe(`at-TEST-${i}`);
});

test('a token that is found under the tenant’s domain is still found there when somebody refreshed it under its id', () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'old' }), { tenantId: 'contoso.example' }));
  cache.add(event(answer({ tag: 'new' }), { tenantId: HOME_TENANT, now: NOON_MS + 1_000, grantType: 'refresh_token' }));
  for (const tenantId of ['contoso.example', HOME_TENANT, undefined])
    expect(find(cache, ['User.Read'], tenantId === undefined ? {} : { tenantId })).toBe('at-TEST-new');
  expect(find(cache, ['User.Read'], { tenantId: 'fabrikam.example' })).toBeUndefined();
});

test.each([
  ['pop', 'AccessToken_With_AuthScheme'],
  ['ssh-cert', 'AccessToken'],
])('a token of type %s, which MSAL bound to a key, is no bearer token', (token_type, credential_type) => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'bearer' })));
  const record = JSON.parse(cache.serialize());
  const [bearer] = Object.values(record.AccessToken) as Record<string, unknown>[];
  record.AccessToken.bound = { ...bearer, secret: 'at-TEST-bound', token_type, credential_type, cached_at: '9999999999' };
  const shared = TokenCache.deserialize(JSON.stringify(record));
  expect(find(shared, ['User.Read'])).toBe('at-TEST-bearer');
  expect(shared.getAccessToken()?.secret).toBe('at-TEST-bearer');
  shared.add(event(answer({ tag: 'next' }), { grantType: 'refresh_token' }));
  expect(find(shared, ['User.Read'])).toBe('at-TEST-next');
  expect(shared.serialize()).toContain('at-TEST-bound');
});
