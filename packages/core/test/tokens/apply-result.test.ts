import { expect, test } from 'vitest';
import { AccessTokenIndex } from '../../src/tokens/access-token-index.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event } from './fixtures/answers.js';
import { ADA, BOB, CLIENT, GUEST_TENANT, HOME_TENANT, NOON_MS, node7Record } from './fixtures/records.js';

const of = (homeAccountId?: string) => ({
  ...(homeAccountId === undefined ? {} : { homeAccountId }),
  clientId: CLIENT,
  tenantId: HOME_TENANT,
  environment: 'login.microsoftonline.com',
  now: () => NOON_MS + 600_000,
});
/** A stored record with Ada and Bob signed in. */
const stored = () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'stored' })));
  cache.add(event(answer({ tag: 'bob', home: BOB, username: 'bob@contoso.example' })));
  return TokenCache.deserialize(cache.serialize());
};
const refreshed = (from: TokenCache, tag: string, more: Parameters<typeof answer>[0] = {}) => {
  const slice = from.slice(of(ADA));
  slice.add({ response: answer({ tag, without: ['client_info'], ...more }), scopes: ['User.Read'], grantType: 'refresh_token' });
  return slice;
};
const signedIn = (tag: string) => {
  const slice = new TokenCache().slice(of());
  slice.add({ response: answer({ tag }), scopes: ['User.Read'], grantType: 'authorization_code' });
  return slice;
};

test('a slice holds what one client may use for one account, and nothing else', () => {
  const cache = stored();
  cache.add(event(answer({ tag: 'client2' }), { clientId: 'client-2' }));
  cache.add(event(answer({ tag: 'family', extra: { foci: '1' } }), { clientId: 'client-3' }));
  cache.add(event({ access_token: 'at-TEST-app', expires_in: 60 }, { grantType: 'client_credentials' }));
  const text = cache.slice(of(ADA)).serialize();
  expect(text).toContain('rt-TEST-stored');
  expect(text).toContain('rt-TEST-family');
  expect(text).not.toMatch(/TEST-(bob|client2|app)|at-TEST-family/);
  expect(cache.slice(of()).serialize()).toContain('at-TEST-app');
  expect(cache.slice(of()).serialize()).not.toMatch(/TEST-(stored|bob)/);
});

test('a slice fills in what an event does not say, and changes nothing else', () => {
  const cache = stored();
  const before = cache.serialize();
  const slice = refreshed(cache, '2');
  expect(slice.lastAdded).toMatchObject({ homeAccountId: ADA, accessToken: { cachedAt: NOON_MS + 600_000 } });
  expect(slice.getRefreshToken({ clientId: CLIENT })?.secret).toBe('rt-TEST-2');
  expect(cache.serialize()).toBe(before);
});

test('a refresh replaces the refresh token that it spent', () => {
  const cache = stored();
  expect(cache.applyRefresh(refreshed(cache, '2'), { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-2');
  expect(cache.getAccessToken({ homeAccountId: ADA })?.secret).toBe('at-TEST-2');
  expect(cache.serialize()).toContain('rt-TEST-bob');
  expect(cache.serialize()).not.toContain('TEST-stored');
});

test('applying a refresh again changes nothing', () => {
  const cache = stored();
  const result = refreshed(cache, '2');
  cache.applyRefresh(result, { spent: 'rt-TEST-stored' });
  const once = cache.serialize();
  expect(cache.applyRefresh(result, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.serialize()).toBe(once);
});

test('a late refresh yields to a sign-in, with all its tokens', () => {
  const cache = stored();
  const late = refreshed(cache, 'late', { extra: { expires_in: 86_400 } });
  cache.applySignIn(signedIn('new'));
  const before = cache.serialize();
  expect(cache.applyRefresh(late, { spent: 'rt-TEST-stored' })).toBe('yielded');
  expect(cache.serialize()).toBe(before);
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-new');
});

test('of two refreshes with one refresh token the first that was stored stays', () => {
  const cache = stored();
  const [first, second] = [refreshed(cache, 'first'), refreshed(cache, 'second')];
  expect(cache.applyRefresh(first, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.applyRefresh(second, { spent: 'rt-TEST-stored' })).toBe('yielded');
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-first');
});

test('a refresh whose refresh token is gone is stored while the account is there', () => {
  const cache = stored();
  const result = refreshed(cache, '2');
  expect(cache.removeRefreshToken('rt-TEST-stored')).toBe(true);
  expect(cache.applyRefresh(result, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-2');
});

test('a refresh does not bring a removed account back', () => {
  const cache = stored();
  const result = refreshed(cache, '2');
  cache.removeAccount({ homeAccountId: ADA });
  expect(cache.applyRefresh(result, { spent: 'rt-TEST-stored' })).toBe('account-gone');
  expect(cache.serialize()).not.toContain(ADA);
});

test('a server that keeps its refresh token does not resurrect a refused one', () => {
  const cache = stored();
  const result = refreshed(cache, '2', { without: ['refresh_token'] });
  cache.removeRefreshToken('rt-TEST-stored');
  expect(cache.applyRefresh(result, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.getRefreshToken({ homeAccountId: ADA })).toBeUndefined();
  expect(cache.getAccessToken({ homeAccountId: ADA })?.secret).toBe('at-TEST-2');
});

test('where the refresh token never changes, an old result does not replace a newer access token', () => {
  const cache = stored();
  const old = refreshed(cache, 'old', { without: ['refresh_token'] });
  const newer = cache.slice({ ...of(ADA), now: () => NOON_MS + 1_200_000 });
  newer.add({ response: answer({ tag: 'newer', without: ['refresh_token'] }), grantType: 'refresh_token' });
  cache.applyRefresh(newer, { spent: 'rt-TEST-stored' });
  expect(cache.applyRefresh(old, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.getAccessToken({ homeAccountId: ADA })?.secret).toBe('at-TEST-newer');
});

test('a refresh leaves alone what others added meanwhile', () => {
  const cache = stored();
  const result = refreshed(cache, '2');
  cache.add(event(answer({ tag: 'mail', scope: 'Mail.Read', without: ['refresh_token'] }), { grantType: 'refresh_token' }));
  cache.applyRefresh(result, { spent: 'rt-TEST-stored' });
  expect(cache.getAccessToken({ homeAccountId: ADA, scopes: 'Mail.Read' })?.secret).toBe('at-TEST-mail');
  expect(cache.getAccessToken({ homeAccountId: ADA, scopes: 'User.Read' })?.secret).toBe('at-TEST-2');
});

test('a refresh does not bring back what others dropped meanwhile', () => {
  const cache = stored();
  cache.add(event(answer({ tag: 'mail', scope: 'Mail.Read', without: ['refresh_token'] }), { grantType: 'refresh_token' }));
  const result = refreshed(cache, '2');
  const pruned = TokenCache.deserialize(JSON.stringify({ ...JSON.parse(cache.serialize()), AccessToken: {} }));
  pruned.applyRefresh(result, { spent: 'rt-TEST-stored' });
  expect(pruned.serialize()).not.toContain('at-TEST-mail');
  expect(pruned.getAccessToken({ homeAccountId: ADA })?.secret).toBe('at-TEST-2');
});

test("a family's refresh token that somebody else replaced does not stop a refresh with the own one", () => {
  const cache = stored();
  const family = (tag: string) =>
    event(answer({ tag, extra: { foci: '1' } }), { clientId: 'client-3', grantType: 'refresh_token' });
  cache.add(family('family-1'));
  const result = refreshed(cache, '2');
  cache.add(family('family-2'));
  expect(cache.applyRefresh(result, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.getRefreshToken({ homeAccountId: ADA, clientId: CLIENT })?.secret).toBe('rt-TEST-2');
  expect(cache.getRefreshToken({ homeAccountId: ADA, clientId: 'client-3' })?.secret).toBe('rt-TEST-family-2');
});

test('an answer that names a guest only stays with the account that was refreshed', () => {
  const cache = stored();
  const result = refreshed(cache, 'guest', { tid: GUEST_TENANT, oid: 'guest-oid' });
  expect(cache.applyRefresh(result, { spent: 'rt-TEST-stored' })).toBe('applied');
  expect(cache.getAccessToken({ homeAccountId: ADA, tenantId: GUEST_TENANT })?.secret).toBe('at-TEST-guest');
  expect(cache.getAccounts()).toHaveLength(2);
});

test('an answer that repeats the refresh token leaves its entity alone', () => {
  const cache = stored();
  const before = [...cache.state.RefreshToken.values()][0];
  cache.applyRefresh(refreshed(cache, '2', { extra: { refresh_token: 'rt-TEST-stored' } }), { spent: 'rt-TEST-stored' });
  expect([...cache.state.RefreshToken.values()][0]).toBe(before);
});

test('tokens of the program itself need no account', () => {
  const cache = stored();
  const slice = cache.slice(of());
  slice.add({
    response: { access_token: 'at-TEST-app', expires_in: 60 },
    scopes: ['x/.default'],
    grantType: 'client_credentials',
  });
  expect(cache.applyRefresh(slice)).toBe('applied');
  expect(cache.getAccessToken({ homeAccountId: '' })?.secret).toBe('at-TEST-app');
});

test('on-behalf-of tokens need no account either', () => {
  const cache = stored();
  const slice = cache.slice(of());
  slice.add({ response: answer({ tag: 'obo' }), scopes: ['User.Read'], userAssertionHash: 'hash-1' });
  expect(cache.applyRefresh(slice)).toBe('applied');
  const match = { id: '1', clientId: CLIENT, environments: ['login.windows.net'], homeAccountId: null, scopes: ['User.Read'] };
  expect(new AccessTokenIndex(cache).find({ ...match, userAssertionHash: 'hash-1' })?.secret).toBe('at-TEST-obo');
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-stored');
});

test('a sign-in always replaces, and brings a removed account back', () => {
  const cache = stored();
  cache.applySignIn(signedIn('again'));
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-again');
  cache.removeAccount({ homeAccountId: ADA });
  cache.applySignIn(signedIn('back'));
  expect(cache.getAccount({ homeAccountId: ADA })?.username).toBe('ada@contoso.example');
  expect(cache.serialize()).toContain('rt-TEST-bob');
});

test('applying a sign-in again changes nothing, even after its refresh token was spent', () => {
  const cache = stored();
  const result = signedIn('again');
  cache.applySignIn(result);
  const once = cache.serialize();
  cache.applySignIn(result);
  expect(cache.serialize()).toBe(once);
  cache.applyRefresh(refreshed(cache, 'next'), { spent: 'rt-TEST-again' });
  cache.applySignIn(result);
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-next');
});

test('a sign-in may come from a whole record of another library', () => {
  const cache = new TokenCache();
  cache.applySignIn(TokenCache.deserialize(JSON.stringify(node7Record())));
  expect(cache.getRefreshToken({ homeAccountId: ADA })?.secret).toBe('rt-TEST-node-ada');
});

test('a refused refresh token is removed only if it is still the stored one', () => {
  const cache = stored();
  expect(cache.removeRefreshToken('rt-TEST-other')).toBe(false);
  expect(cache.removeRefreshToken('rt-TEST-stored')).toBe(true);
  expect(cache.tokenIsLongLived({ homeAccountId: ADA })).toBe(false);
  expect(cache.getAccount({ homeAccountId: ADA })).toBeDefined();
});

test('fields that others put on an account survive a refresh and a sign-in', () => {
  const record = JSON.parse(stored().serialize());
  for (const account of Object.values<Record<string, unknown>>(record.Account)) account.custom = 'kept';
  const cache = TokenCache.deserialize(JSON.stringify(record));
  cache.applyRefresh(refreshed(cache, '2'), { spent: 'rt-TEST-stored' });
  cache.applySignIn(signedIn('again'));
  expect(cache.serialize().match(/"custom":"kept"/g)).toHaveLength(2);
});
