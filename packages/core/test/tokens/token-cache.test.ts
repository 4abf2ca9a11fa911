import { expect, test } from 'vitest';
import { AmbiguousAccountError } from '../../src/errors.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event, GRAPH } from './fixtures/answers.js';
import { ADA, BOB, CLIENT, GUEST_TENANT, HOME_TENANT, NOON_MS, node7Record, pythonRecord, together } from './fixtures/records.js';

const ada = () => {
  const cache = new TokenCache();
  cache.add(event(answer()));
  return cache;
};
const both = () => {
  const cache = ada();
  cache.add(event(answer({ tag: 'bob', home: BOB, username: 'Bob@Contoso.example' })));
  return cache;
};

test('user names match without regard to case', () => {
  const cache = both();
  expect(cache.getAccount({ username: 'ADA@contoso.EXAMPLE' })?.homeAccountId).toBe(ADA);
  expect(cache.getAccessToken({ username: 'bob@contoso.example' })?.secret).toBe('at-TEST-bob');
  expect(cache.getAccounts({ username: 'bob@CONTOSO.example' })).toHaveLength(1);
  expect(cache.getRefreshToken({ username: 'ada@Contoso.example' })?.secret).toBe('rt-TEST-1');
});

test('an unknown user has nothing', () => {
  const cache = both();
  const query = { username: 'eve@contoso.example' };
  expect([cache.getAccount(query), cache.getAccessToken(query), cache.getRefreshToken(query), cache.getIdToken(query)]).toEqual(
    Array.from({ length: 4 }),
  );
  expect(cache.getAccounts(query)).toEqual([]);
  expect([cache.getTokenScopes(query), cache.tokenExpiresAt(query)]).toEqual([undefined, undefined]);
  expect([cache.tokenIsExpired(query), cache.tokenIsLongLived(query), cache.removeAccount(query)]).toEqual([true, false, false]);
});

test('without a selection the only account is meant', () => {
  const cache = ada();
  expect(cache.getAccount()?.username).toBe('ada@contoso.example');
  expect(cache.getAccessToken()?.secret).toBe('at-TEST-1');
  expect(cache.getIdToken()).toMatchObject({ claims: { preferred_username: 'ada@contoso.example', tid: HOME_TENANT } });
  expect(cache.tokenIsLongLived()).toBe(true);
});

test('several accounts and no selection is an error that names them, for every query', () => {
  const cache = both();
  for (const query of [
    () => cache.getAccount(),
    () => cache.getAccessToken(),
    () => cache.getRefreshToken(),
    () => cache.getIdToken({ clientId: CLIENT }),
    () => cache.getTokenScopes(),
    () => cache.tokenExpiresAt(),
    () => cache.tokenIsExpired(),
    () => cache.tokenIsLongLived(),
  ])
    expect(query).toThrowError(expect.objectContaining({ code: 'TOKENRY_AMBIGUOUS_ACCOUNT', homeAccountIds: [ADA, BOB] }));
});

test('a user name that two accounts share is an error, their ids are not', () => {
  const cache = ada();
  cache.add(event(answer({ tag: 'twin', home: BOB })));
  const username = 'Ada@contoso.example';
  expect(() => cache.getAccessToken({ username })).toThrowError(AmbiguousAccountError);
  expect(() => cache.removeAccount({ username })).toThrowError(AmbiguousAccountError);
  expect(cache.getAccounts({ username })).toHaveLength(2);
  expect(cache.getAccessToken({ username, homeAccountId: BOB })?.secret).toBe('at-TEST-twin');
  expect(cache.getAccessToken({ username: 'other', homeAccountId: BOB })).toBeUndefined();
});

test('getAccount takes one name, not two', () => {
  expect(() => ada().getAccount({ username: 'ada@contoso.example', homeAccountId: ADA })).toThrowError(
    expect.objectContaining({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' }),
  );
});

test('tokens can be asked for by client, tenant, scopes and resource', () => {
  const cache = ada();
  cache.add(event(answer({ tag: 'guest', tid: GUEST_TENANT, oid: 'x' }), { tenantId: GUEST_TENANT, grantType: 'refresh_token' }));
  cache.add(
    event(answer({ tag: 'files', scope: 'https://contoso.sharepoint.com/AllSites.Read' }), { grantType: 'refresh_token' }),
  );
  cache.add(event(answer({ tag: 'app2' }), { clientId: 'client-2', now: NOON_MS - 1_000 }));
  expect(cache.getAccessToken({ tenantId: GUEST_TENANT })?.secret).toBe('at-TEST-guest');
  expect(cache.getAccessToken({ resource: 'https://contoso.sharepoint.com/' })?.secret).toBe('at-TEST-files');
  expect(cache.getAccessToken({ resource: GRAPH })?.secret).toBe('at-TEST-1');
  expect(cache.getAccessToken({ scopes: 'User.Read', clientId: 'CLIENT-2' })?.secret).toBe('at-TEST-app2');
  expect(cache.getAccessToken({ scopes: ['Mail.Send'] })).toBeUndefined();
  expect(cache.getRefreshToken({ clientId: 'client-2' })?.secret).toBe('rt-TEST-app2');
  expect(cache.getIdToken({ tenantId: GUEST_TENANT })?.claims).toMatchObject({ tid: GUEST_TENANT });
  expect(cache.getIdToken()?.claims).toMatchObject({ tid: HOME_TENANT });
});

test('scopes are those of the refresh token, else of the access token', () => {
  const stored = node7Record();
  expect(TokenCache.deserialize(JSON.stringify(stored)).getTokenScopes()).toEqual([`${GRAPH}/Mail.Read`, `${GRAPH}/User.Read`]);
  const cache = TokenCache.deserialize(JSON.stringify(pythonRecord()));
  expect(cache.getTokenScopes()).toContain('openid');
  expect(cache.getTokenScopes({ removeReserved: true })).not.toContain('openid');
});

test('a token is expired from its last second on, and without a token at once', () => {
  const cache = ada();
  expect(cache.tokenExpiresAt()).toBe(NOON_MS + 3_600_000);
  expect(cache.tokenIsExpired({ now: NOON_MS + 3_599_999 })).toBe(false);
  expect(cache.tokenIsExpired({ now: NOON_MS + 3_600_000 })).toBe(true);
  expect(new TokenCache().tokenIsExpired({ now: 0 })).toBe(true);
});

test('the empty account id selects the tokens of the program itself', () => {
  const cache = both();
  cache.add(event({ access_token: 'at-TEST-app', expires_in: 60 }, { grantType: 'client_credentials' }));
  expect(cache.getAccessToken({ homeAccountId: '' })?.secret).toBe('at-TEST-app');
  expect(cache.getRefreshToken({ homeAccountId: '' })).toBeUndefined();
});

test('removing an account removes it under every name of the server and of every client, and nothing else', () => {
  const stored = JSON.parse(together(pythonRecord(), node7Record({ home: BOB, username: 'bob@contoso.example', tag: 'bob' })));
  const cache = TokenCache.deserialize(JSON.stringify(stored));
  cache.add(event(answer({ tag: 'us' }), { environment: 'login.microsoftonline.us', clientId: 'client-2' }));
  expect(cache.removeAccount({ homeAccountId: ADA.toUpperCase() })).toBe(true);
  expect(cache.serialize()).not.toContain(ADA);
  expect(cache.serialize()).not.toMatch(/TEST-(python-ada|us)/);
  expect(cache.serialize()).toContain(`appmetadata-login.windows.net-${CLIENT}`);
  expect(cache.getAccounts().map(({ username }) => username)).toEqual(['bob@contoso.example']);
  expect(cache.removeAccount({ homeAccountId: ADA })).toBe(false);
  expect(cache.removeAccount({ username: 'BOB@contoso.example' })).toBe(true);
  expect(cache.hasData).toBe(false);
  expect(() => cache.removeAccount({})).toThrowError(TypeError);
});

test('hasStateChanged tells whether the content differs, not whether something was called', () => {
  const cache = TokenCache.deserialize(JSON.stringify(pythonRecord()));
  cache.getAccessToken();
  cache.tokenIsExpired({ now: NOON_MS * 2 });
  cache.removeAccount({ homeAccountId: 'nobody' });
  expect(cache.hasStateChanged).toBe(false);
  cache.add(event(answer({ home: BOB, username: 'bob@contoso.example' })));
  expect(cache.hasStateChanged).toBe(true);
  cache.removeAccount({ homeAccountId: BOB });
  expect(cache.hasStateChanged).toBe(false);
  expect(new TokenCache().hasStateChanged).toBe(false);
  expect(ada().hasStateChanged).toBe(true);
});

test('a clone changes by itself and keeps the base', () => {
  const cache = TokenCache.deserialize(JSON.stringify(node7Record()));
  const clone = cache.clone();
  clone.removeAccount({ homeAccountId: ADA });
  expect(cache.hasData).toBe(true);
  expect([clone.hasData, clone.hasStateChanged, cache.hasStateChanged]).toEqual([false, true, false]);
  expect(clone.base?.serialize()).toBe(cache.serialize());
});

test('after rebase the saved content is the base', () => {
  const cache = ada();
  expect(cache.base).toBeUndefined();
  const saved = TokenCache.deserialize(cache.serialize());
  cache.rebase(saved);
  expect(cache.hasStateChanged).toBe(false);
  expect(cache.getRefreshToken()?.secret).toBe('rt-TEST-1');
});

test('entities handed around are frozen', () => {
  const { state } = TokenCache.deserialize(JSON.stringify(node7Record()));
  for (const section of [state.Account, state.AccessToken, state.RefreshToken])
    for (const entity of section.values()) expect(Object.isFrozen(entity)).toBe(true);
});

test('what is written need not be read again: both say the same', () => {
  const cache = both();
  cache.add(event(answer({ tag: 'over', extra: { expires_in: 1, scope: 'Mail.Read' } })));
  const { text, cache: kept } = cache.written(NOON_MS + 5_000);
  expect(text).toBe(cache.serialize({ now: NOON_MS + 5_000 }));
  expect(kept.state).toEqual(TokenCache.deserialize(text).state);
  expect(kept.hasStateChanged).toBe(false);
  expect(text).not.toContain('at-TEST-over');
});
