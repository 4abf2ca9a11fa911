import { expect, test } from 'vitest';
import { RefreshFailedError } from '../../src/errors.js';
import { TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import type { TokenEvent } from '../../src/tokens/schema.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event, GRAPH } from './fixtures/answers.js';
import { ADA, CLIENT, GUEST_TENANT, HOME_TENANT, idToken, NOON, NOON_MS } from './fixtures/records.js';

const cacheOf = (...events: readonly TokenEvent[]) => {
  const cache = new TokenCache();
  for (const one of events) cache.add(one);
  return cache;
};
const entities = (cache: TokenCache, section: string) =>
  Object.entries((JSON.parse(cache.serialize()) as Record<string, Record<string, Record<string, unknown>>>)[section] ?? {});
const only = (cache: TokenCache, section: string) => {
  expect(entities(cache, section)).toHaveLength(1);
  return entities(cache, section)[0]?.[1] ?? {};
};

test('an answer becomes the entities that msal-node would write', () => {
  const cache = cacheOf(event(answer({ extra: { refresh_in: 1_800 } })));
  const keys = ['Account', 'IdToken', 'AccessToken', 'RefreshToken'].map((name) => entities(cache, name)[0]?.[0]);
  expect(keys).toEqual([
    `${ADA}-login.windows.net-${HOME_TENANT}`,
    `${ADA}-login.windows.net-idtoken-${CLIENT}-${HOME_TENANT}--`,
    `${ADA}-login.windows.net-accesstoken-${CLIENT}-${HOME_TENANT}-https://graph.microsoft.com/user.read openid profile-`,
    `${ADA}-login.windows.net-refreshtoken-${CLIENT}---`,
  ]);
  expect(only(cache, 'AccessToken')).toEqual({
    home_account_id: ADA,
    environment: 'login.windows.net',
    credential_type: 'AccessToken',
    client_id: CLIENT,
    secret: 'at-TEST-1',
    realm: HOME_TENANT,
    target: `${GRAPH}/User.Read openid profile`,
    token_type: 'Bearer',
    cached_at: String(NOON),
    expires_on: String(NOON + 3_600),
    extended_expires_on: String(NOON + 3_600),
    refresh_on: String(NOON + 1_800),
  });
  expect(only(cache, 'Account')).toMatchObject({
    realm: HOME_TENANT,
    local_account_id: ADA.split('.')[0],
    username: 'ada@contoso.example',
    name: 'Ada Lovelace',
    authority_type: 'MSSTS',
  });
  expect(cache.getAccounts()).toEqual([
    { homeAccountId: ADA, username: 'ada@contoso.example', tenantId: HOME_TENANT, name: 'Ada Lovelace' },
  ]);
});

test('lifetimes may be texts, missing or nonsense', () => {
  const expiry = (expires_in: unknown) => cacheOf(event(answer({ extra: { expires_in } }))).tokenExpiresAt();
  expect(expiry('1800')).toBe(NOON_MS + 1_800_000);
  expect(expiry(undefined)).toBe(NOON_MS + 3_600_000);
  expect(expiry('soon')).toBe(NOON_MS + 3_600_000);
  expect(expiry(-5)).toBe(NOON_MS);
  expect(expiry(1e300)).toBe(NOON_MS + 10 * 365 * 86_400_000);
});

test("the server's time counts when it is more than 30 s off ours, and the offset can be had", () => {
  const at = (serverNow: number) => {
    const cache = cacheOf(event(answer(), { serverNow }));
    return [cache.tokenExpiresAt(), cache.lastAdded?.clockOffsetMs, cache.serverNow];
  };
  expect(at(NOON_MS + 29_000)).toEqual([NOON_MS + 3_600_000, 0, NOON_MS + 29_000]);
  expect(at(NOON_MS + 7_200_000)).toEqual([NOON_MS + 10_800_000, 7_200_000, NOON_MS + 7_200_000]);
  expect(at(NOON_MS - 7_200_000)).toEqual([NOON_MS - 3_600_000, -7_200_000, NOON_MS - 7_200_000]);
});

test('a token just obtained is written although a wrong clock would call it expired', () => {
  const cache = cacheOf(event(answer(), { serverNow: NOON_MS - 7_200_000 }));
  const written = TokenCache.deserialize(cache.serialize({ now: NOON_MS }));
  expect(written.getAccessToken()?.secret).toBe('at-TEST-1');
});

test('a guest is the account of the home tenant, whichever tenant answers', () => {
  const guest = answer({ tid: GUEST_TENANT, oid: 'guest-oid', username: 'ada_contoso#ext#@fabrikam.example', tag: 'guest' });
  const cache = cacheOf(event(guest, { tenantId: GUEST_TENANT }));
  expect(cache.lastAdded?.homeAccountId).toBe(ADA);
  expect(cache.getAccounts()).toMatchObject([{ homeAccountId: ADA, tenantId: HOME_TENANT }]);
  expect(cache.getAccessToken({ tenantId: GUEST_TENANT })?.secret).toBe('at-TEST-guest');
  expect(cache.getAccessToken({ tenantId: HOME_TENANT })).toBeUndefined();
});

test('a visit to another tenant does not rename the account', () => {
  const guest = answer({ tid: GUEST_TENANT, oid: 'guest-oid', username: 'ada_contoso#ext#@fabrikam.example', tag: 'guest' });
  const cache = cacheOf(event(answer()), event(guest, { tenantId: GUEST_TENANT, grantType: 'refresh_token' }));
  expect(cache.getAccounts()).toMatchObject([{ username: 'ada@contoso.example', tenantId: HOME_TENANT }]);
  const profiles = only(cache, 'Account').tenantProfiles as string[];
  expect(profiles.map((text) => (JSON.parse(text) as { tenantId: string }).tenantId)).toEqual([HOME_TENANT, GUEST_TENANT]);
});

test.each([
  ['the id token, oid and tid', answer({ without: ['client_info'] }), ADA],
  ['the subject', answer({ without: ['client_info'], extra: { id_token: idToken({ sub: 'subject-1' }) } }), 'subject-1'],
  ['nobody, where nothing says so', answer({ without: ['client_info', 'id_token'] }), 'anonymous'],
])('without client_info the account is that of %s', (_source, response, homeAccountId) => {
  expect(cacheOf(event(response)).lastAdded?.homeAccountId).toBe(homeAccountId);
});

test('an answer without a refresh token keeps the stored one', () => {
  const cache = cacheOf(event(answer()), event(answer({ tag: '2', without: ['refresh_token'] }), { grantType: 'refresh_token' }));
  expect(cache.getRefreshToken()?.secret).toBe('rt-TEST-1');
  expect(cache.getAccessToken()?.secret).toBe('at-TEST-2');
});

test('scopes that the answer leaves out are those asked for', () => {
  const cache = cacheOf(event(answer({ scope: null }), { scopes: ['Mail.Read', 'User.Read'] }));
  expect(cache.getTokenScopes()).toEqual(['Mail.Read', 'User.Read']);
});

test('a token of the program itself has no account', () => {
  const response = { token_type: 'Bearer', expires_in: 3_599, access_token: 'at-TEST-app' };
  const cache = cacheOf(event(response, { grantType: 'client_credentials', scopes: [`${GRAPH}/.default`] }));
  expect(cache.getAccounts()).toEqual([]);
  expect(cache.lastAdded).toMatchObject({ homeAccountId: null });
  expect(entities(cache, 'AccessToken')[0]?.[0]).toBe(
    `-login.windows.net-accesstoken-${CLIENT}-${HOME_TENANT}-https://graph.microsoft.com/.default-`,
  );
  expect(cache.getAccessToken()).toMatchObject({ homeAccountId: null, scopes: [`${GRAPH}/.default`] });
});

test('on-behalf-of tokens are kept by assertion, beside the own ones, and sign nobody in', () => {
  const obo = (tag: string) =>
    event(answer({ tag }), { userAssertionHash: `hash-${tag}`, grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer' });
  const cache = cacheOf(obo('a'), obo('b'));
  expect(entities(cache, 'AccessToken').map(([, token]) => token.userAssertionHash)).toEqual(['hash-a', 'hash-b']);
  expect(cache.getAccounts()).toEqual([]);
  expect(cache.getRefreshToken({ homeAccountId: ADA })).toBeUndefined();
  expect(cache.getAccessToken({ homeAccountId: ADA })).toBeUndefined();
});

test("a family's refresh token is shared, and filed under the family", () => {
  const cache = cacheOf(event(answer({ extra: { foci: '1' } })));
  expect(entities(cache, 'RefreshToken')[0]?.[0]).toBe(`${ADA}-login.windows.net-refreshtoken-1---`);
  expect(entities(cache, 'AppMetadata')).toEqual([
    [`appmetadata-login.windows.net-${CLIENT}`, { client_id: CLIENT, environment: 'login.windows.net', family_id: '1' }],
  ]);
  expect(cache.getRefreshToken({ clientId: CLIENT })?.secret).toBe('rt-TEST-1');
  expect(cache.getRefreshToken({ clientId: 'stranger' })).toBeUndefined();
});

test('a newer token takes the place of those that it contains, and of no other', () => {
  const cache = cacheOf(
    event(answer({ tag: 'a', scope: 'User.Read' })),
    event(answer({ tag: 'files', scope: 'https://contoso.sharepoint.com/AllSites.Read' })),
    event(answer({ tag: 'overlap', scope: 'Calendars.Read User.Read' })),
    event(answer({ tag: 'wide', scope: `${GRAPH}/Mail.Read ${GRAPH}/User.Read` })),
  );
  expect(entities(cache, 'AccessToken').map(([, token]) => token.secret)).toEqual([
    'at-TEST-files',
    'at-TEST-overlap',
    'at-TEST-wide',
  ]);
});

test('a refusal is a TokenEndpointError and stores nothing', () => {
  const cache = cacheOf(event(answer()));
  const before = cache.serialize();
  const response = { error: 'invalid_grant', suberror: 'bad_token', error_description: 'AADSTS700082: refresh_token=rt-TEST-x' };
  expect(() => cache.add(event(response))).toThrowError(
    expect.objectContaining({
      name: 'TokenEndpointError',
      error: 'invalid_grant',
      suberror: 'bad_token',
      status: 400,
      errorCode: '700082',
    }),
  );
  try {
    cache.add(event(response, { status: 429 }));
  } catch (error) {
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect((error as TokenEndpointError).status).toBe(429);
    expect(JSON.stringify(error)).not.toContain('TEST');
  }
  expect(cache.serialize()).toBe(before);
});

test('an answer without a token, and an event without client or server, are errors', () => {
  const cache = new TokenCache();
  expect(() => cache.add(event({ token_type: 'Bearer' }))).toThrowError(RefreshFailedError);
  expect(() => cache.add({ response: answer() })).toThrowError(TypeError);
  expect(() => cache.add({ response: answer(), environment: 'e' })).toThrowError(/clientId/);
  expect(() => cache.add(event(JSON.parse('[]') as object))).toThrowError(/response/);
  expect(cache.hasData).toBe(false);
});

test('what is given is left as it was', () => {
  const given = event(Object.freeze(answer()), { scopes: Object.freeze(['User.Read']) as readonly string[] });
  cacheOf(Object.freeze(given));
  expect(given.response).toEqual(answer());
});

test('a refresh token keeps the scopes of the API it first named', () => {
  const cache = cacheOf(
    event(answer({ scope: 'User.Read' })),
    event(answer({ tag: '2', scope: 'https://contoso.sharepoint.com/AllSites.Read' }), { grantType: 'refresh_token' }),
  );
  expect(cache.getTokenScopes()).toEqual(['User.Read']);
  cache.add(event(answer({ tag: '3', scope: 'User.Read Mail.Read' }), { grantType: 'refresh_token' }));
  expect(cache.getTokenScopes()).toEqual(['User.Read', 'Mail.Read']);
});

test('an error of null is none', () => {
  const cache = cacheOf(event(answer({ extra: { error: null, error_description: null } })));
  expect(cache.getAccessToken()?.secret).toBe('at-TEST-1');
});

test('of a refusal only what looks like a code goes into the error as one', () => {
  const refusal = (response: object): unknown => {
    try {
      cacheOf(event({ error: 'invalid_grant', ...response }));
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(refusal({ error_codes: [70008], claims: '{"access_token":{}}' })).toMatchObject({
    errorCode: '70008',
    claims: '{"access_token":{}}',
  });
  expect(refusal({ error_codes: [], error_description: 'AADSTS50076: x' })).toMatchObject({ errorCode: '50076' });
  expect(refusal({ error_codes: ['rt-TEST-quoted'], claims: 'rt-TEST-quoted' })).toMatchObject({
    errorCode: undefined,
    claims: undefined,
  });
});
