import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { RecordCorruptError } from '../../src/errors.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { node7Record } from './fixtures/records.js';

const good = JSON.stringify(node7Record());
const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

const entity = (fields: object) => JSON.stringify({ AccessToken: { k: fields } });
const whole = { environment: 'e', client_id: 'c', secret: 'at-TEST-corrupt' };

const kinds: readonly (readonly [string, string | Uint8Array])[] = [
  ['empty', ''],
  ['blank', ' \n'],
  ['no bytes', new Uint8Array()],
  ['not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])],
  ['truncated', good.slice(0, -40)],
  ['two records in one', good + good],
  ['an array', '[]'],
  ['null', 'null'],
  ['a number', '42'],
  ['a text', '"rt-TEST-corrupt"'],
  ["something else's JSON", '{"ciphertext":"rt-TEST-corrupt"}'],
  ['a null section', '{"AccessToken":null}'],
  ['a section that is a list', '{"Account":[]}'],
  ['a section that is a number', '{"RefreshToken":7}'],
  ['a null entity', '{"RefreshToken":{"k":null}}'],
  ['a text for an entity', '{"RefreshToken":{"k":"rt-TEST-corrupt"}}'],
  ['a list for an entity', '{"RefreshToken":{"k":[]}}'],
  ['no secret', entity({ environment: 'e', client_id: 'c' })],
  ['a secret that is a number', entity({ ...whole, secret: 5 })],
  ['an environment that is null', entity({ ...whole, environment: null })],
  ['scopes in a list', entity({ ...whole, target: ['a'] })],
  ['a time that is an object', entity({ ...whole, expires_on: {} })],
  [
    'profiles that are no list',
    JSON.stringify({ Account: { k: { home_account_id: 'h', environment: 'e', tenantProfiles: 'x' } } }),
  ],
  [
    'profiles that are no texts',
    JSON.stringify({ Account: { k: { home_account_id: 'h', environment: 'e', tenantProfiles: [{}] } } }),
  ],
  ['an account without id', JSON.stringify({ Account: { k: { environment: 'e' } } })],
  ['a section named __proto__', '{"Account":{},"__proto__":{"polluted":1}}'],
  ['an entity named __proto__', '{"AccessToken":{"__proto__":{"polluted":1}}}'],
  [
    'a field named __proto__',
    '{"AccessToken":{"k":{"__proto__":{"polluted":1},"environment":"e","client_id":"c","secret":"s"}}}',
  ],
  ['a deep member named __proto__', '{"Account":{},"x":{"y":[{"__proto__":1}]}}'],
  ['nothing but nesting', deep],
  ['deep nesting in an unknown section', `{"Account":{},"x":${deep}}`],
  ['deep nesting in an entity', `{"AccessToken":{"k":{"x":${deep}}}}`],
];

test.each(kinds)('%s is a RecordCorruptError that tells nothing of the content', (_kind, stored) => {
  const error = thrownBy(() => TokenCache.deserialize(stored));
  expect(RecordCorruptError.is(error)).toBe(true);
  const said = `${(error as Error).message} ${JSON.stringify(error)} ${inspect(error)}`;
  expect(said).not.toMatch(/TEST|polluted|ciphertext/);
  expect((error as Error).cause).toBeUndefined();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('an empty object is an empty record', () => {
  const cache = TokenCache.deserialize('{}');
  expect(cache.hasData).toBe(false);
  expect(JSON.parse(cache.serialize())).toEqual({ Account: {}, IdToken: {}, AccessToken: {}, RefreshToken: {}, AppMetadata: {} });
});

test('a byte order mark is no corruption', () => {
  expect(TokenCache.deserialize(`\uFEFF${good}`).hasData).toBe(true);
  expect(TokenCache.deserialize(new TextEncoder().encode(`\uFEFF${good}`)).hasData).toBe(true);
});

test('null in optional fields is no corruption', () => {
  const record = JSON.parse(
    entity({ ...whole, home_account_id: null, target: null, refresh_on: null, expires_on: 1_800_000_000 }),
  );
  const cache = TokenCache.deserialize(JSON.stringify(record));
  expect(cache.tokenExpiresAt()).toBe(1_800_000_000_000);
  expect(cache.getTokenScopes()).toBeUndefined();
});

test('neither inspect nor JSON of a cache and of what it hands out shows a secret', () => {
  const cache = TokenCache.deserialize(good);
  const handedOut = [cache, cache.getAccessToken(), cache.getRefreshToken(), cache.getIdToken(), cache.lastAdded];
  expect(inspect(handedOut, { depth: 9 }) + JSON.stringify(handedOut)).not.toContain('TEST');
  expect(cache.getAccessToken()?.secret).toBe('at-TEST-node-ada');
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
