import { inspect } from 'node:util';
import { MemoryTokenBackend } from '@tokenry/memory';
import { expect, it } from 'vitest';
import { secretIn } from '../../../../test-e2e/no-secrets.js';
import { Account } from '../../src/account.js';
import { RecordCorruptError } from '../../src/errors.js';
import { TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import type { TokenProvider } from '../../src/provider/token-provider.js';
import { mergeTokenCaches } from '../../src/tokens/merge.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import {
  ADA,
  BOB,
  CLIENT,
  HOME_TENANT,
  legacyFile,
  NOON_MS,
  node7Record,
  node38Record,
  pythonRecord,
  together,
} from '../tokens/fixtures/records.js';
import { expectClean, FUZZ_TIMEOUT_MS, mutateJson, mutateText, pick, ROUNDS, randomFrom } from './mutation.js';

const bob = { home: BOB, username: 'bob@contoso.example', tag: 'bob' };
const FILES: readonly string[] = [
  JSON.stringify(node7Record()),
  JSON.stringify(pythonRecord(), null, 4),
  together(node7Record(), pythonRecord(bob)),
  together(node38Record(bob), node7Record(), { Unknown: { x: { y: [1] } } }),
  legacyFile,
];
const PIECES = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '\\',
  '\\u0000',
  '\u0000',
  '\ud800',
  '1e999',
  '-',
  '""',
  '__proto__',
  '\ufeff',
];

function mutated(random: () => number): string | Uint8Array {
  const file = pick(FILES, random);
  const how = random();
  if (how < 0.35) return mutateText(file, PIECES, random);
  if (how < 0.9)
    return JSON.stringify(mutateJson(random() < 0.4 ? mutateJson(JSON.parse(file), random) : JSON.parse(file), random));
  const bytes = Buffer.from(file);
  for (let times = 0; times < 4; times++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return new Uint8Array(bytes);
}

const QUERIES = [
  {},
  { homeAccountId: ADA },
  { username: 'ADA@contoso.example', clientId: CLIENT },
  { homeAccountId: BOB, tenantId: HOME_TENANT, scopes: 'User.Read' },
  { homeAccountId: ADA, resource: 'https://graph.microsoft.com' },
];

/** Everything that can be asked of a record, and done with it. */
const uses: readonly ((cache: TokenCache) => unknown)[] = [
  (cache) => cache.getAccounts(),
  ...QUERIES.flatMap((query): ((cache: TokenCache) => unknown)[] => [
    (cache) => cache.getAccessToken(query)?.scopes,
    (cache) => cache.getRefreshToken(query),
    (cache) => cache.getIdToken(query)?.claims,
    (cache) => [
      cache.getTokenScopes(query),
      cache.tokenExpiresAt(query),
      cache.tokenIsExpired(query),
      cache.tokenIsLongLived(query),
    ],
  ]),
  (cache) => cache.legacyRefreshToken?.scopes,
  (cache) => expect(TokenCache.deserialize(cache.serialize()).serialize()).toBe(cache.serialize()),
  (cache) => TokenCache.deserialize(cache.exportForPython()),
  (cache) => cache.serialize({ now: NOON_MS }),
  (cache) => mergeTokenCaches(cache.base, cache.clone(), TokenCache.deserialize(FILES[2] ?? '')).serialize(),
  (cache) => mergeTokenCaches(TokenCache.deserialize(FILES[0] ?? ''), TokenCache.deserialize(FILES[1] ?? ''), cache).serialize(),
  (cache) =>
    cache.slice({ homeAccountId: ADA, clientId: CLIENT, environment: 'login.windows.net', now: () => NOON_MS }).serialize(),
  (cache) => {
    const copy = cache.clone();
    copy.applySignIn(TokenCache.deserialize(FILES[0] ?? ''));
    copy.removeAccount({ homeAccountId: ADA });
    expect(copy.getAccounts().some(({ homeAccountId }) => homeAccountId === ADA)).toBe(false);
    copy.serialize();
  },
];

it(`${ROUNDS} mutated token files are read, or are corrupt records; nothing else`, { timeout: FUZZ_TIMEOUT_MS }, () => {
  const random = randomFrom(3);
  let read = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const input = mutated(random);
    let cache: TokenCache;
    try {
      cache = TokenCache.deserialize(input);
    } catch (error) {
      if (!RecordCorruptError.is(error)) expect.fail(`${inspect(error)} for ${String(input)}`);
      expectClean(error, input);
      continue;
    }
    read++;
    for (const use of uses) {
      try {
        use(cache);
      } catch (error) {
        expectClean(error, input);
      }
    }
    if (round % 50 === 0)
      expect(secretIn(`${inspect(cache, { depth: 9, showHidden: true })}${JSON.stringify(cache)}`)).toBeUndefined();
  }
  expect(read).toBeGreaterThan(ROUNDS / 10);
});

/** A server that refuses everything. */
const provider: TokenProvider = {
  issuer: 'https://login.microsoftonline.com',
  clientId: CLIENT,
  environments: ['login.windows.net', 'login.microsoftonline.com'],
  exchange: async () => {
    throw new TokenEndpointError({ error: 'invalid_grant', status: 400 });
  },
  classify: () => ({ kind: 'token-refused' }),
};

it('an account on mutated token files gives answers or typed errors', { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const random = randomFrom(4);
  for (let round = 0; round < ROUNDS / 10; round++) {
    const input = mutated(random);
    const tokenBackend = new MemoryTokenBackend();
    const bytes = typeof input === 'string' ? Buffer.from(input) : input;
    await tokenBackend.records.write('o365_token.txt', bytes, { expect: 'absent' });
    const account = new Account({ clientId: CLIENT }, { provider, tokenBackend, scopes: 'basic' });
    const calls = [
      () => account.isAuthenticated(),
      () => account.getAccounts(),
      () => account.getAuthenticatedUsernames(),
      () => account.getAccessToken(),
      () => account.forKey('o365_token.txt', { homeAccountId: ADA }).keepAlive(),
      () => account.signOut(),
    ];
    for (const call of calls) await call().catch((error: unknown) => expectClean(error, input));
  }
});
