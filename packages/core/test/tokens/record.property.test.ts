import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccessTokenIndex } from '../../src/tokens/access-token-index.js';
import { mergeTokenCaches } from '../../src/tokens/merge.js';
import type { TokenEvent } from '../../src/tokens/schema.js';
import { contains, normaliseScopes } from '../../src/tokens/scope-set.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event, GRAPH } from './fixtures/answers.js';
import { CLIENT, GUEST_TENANT, HOME_TENANT, NOON_MS, node7Record } from './fixtures/records.js';

const RUNS = { numRuns: 150 };

const homes = ['ada', 'bob', 'eve'].map((name) => `${name}.${HOME_TENANT}`);
const home = fc.constantFrom(...homes);
const permission = fc.constantFrom(
  'User.Read',
  'Mail.Read',
  'Files.Read',
  'Mail.Send',
  'https://contoso.sharepoint.com/AllSites.Read',
);
const scopes = fc.uniqueArray(permission, { minLength: 1, maxLength: 3 });

type Change =
  | {
      readonly kind: 'sign-in' | 'refresh';
      readonly home: string;
      readonly scopes: readonly string[];
      readonly tag: number;
      readonly guest: boolean;
    }
  | { readonly kind: 'remove' | 'refuse'; readonly home: string };
const token = fc.record({
  kind: fc.constantFrom('sign-in' as const, 'refresh' as const),
  home,
  scopes,
  tag: fc.nat(),
  guest: fc.boolean(),
});
const removal = fc.record({ kind: fc.constantFrom('remove' as const, 'refuse' as const), home });
const change: fc.Arbitrary<Change> = fc.oneof({ weight: 3, arbitrary: token }, { weight: 1, arbitrary: removal });
const history = fc.array(change, { maxLength: 6 });

let serial = 0;
function eventOf(one: Extract<Change, { tag: number }>): TokenEvent {
  const tag = `${one.kind}-${serial++}`;
  const tid = one.guest ? GUEST_TENANT : HOME_TENANT;
  return event(answer({ tag, home: one.home, username: `${one.home}@x`, tid, scope: one.scopes.join(' ') }), {
    tenantId: tid,
    scopes: one.scopes,
    grantType: one.kind === 'sign-in' ? 'authorization_code' : 'refresh_token',
    now: NOON_MS + (one.tag % 100_000) * 100,
  });
}

/** Applies changes as a program does: a refresh needs its account and its refresh token. */
function play(from: TokenCache, changes: readonly Change[]): TokenCache {
  const cache = from.clone();
  for (const one of changes) {
    const secret = cache.getRefreshToken({ homeAccountId: one.home })?.secret;
    if (one.kind === 'remove') cache.removeAccount({ homeAccountId: one.home });
    else if (one.kind === 'refuse') cache.removeRefreshToken(secret ?? '');
    else if ('tag' in one && (one.kind === 'sign-in' || secret !== undefined)) cache.add(eventOf(one));
  }
  return cache;
}
const stored = (cache: TokenCache) => TokenCache.deserialize(cache.serialize());
const start = (changes: readonly Change[]) => stored(play(new TokenCache(), changes));
const secretsIn = (cache: TokenCache) => new Set(cache.serialize().match(/(?:rt|at)-TEST-[\w-]+/g));
const content = (cache: TokenCache) => JSON.parse(cache.serialize()) as unknown;

test('what is written is what was read, unknown fields included', () => {
  const json = fc
    .jsonValue({ maxDepth: 4, noUnicodeString: false })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  const name = fc.string().filter((text) => text !== '__proto__' && !(text in node7Record()));
  fc.assert(
    fc.property(history, name, json, (changes, field, value) => {
      const record = { ...(content(start(changes)) as Record<string, Record<string, object>>) };
      for (const account of Object.values(record.Account ?? {})) Object.assign(account, { [`x-${field}`]: value });
      Object.assign(record, { [field]: value });
      const text = JSON.stringify(record);
      const cache = TokenCache.deserialize(text);
      expect(content(cache)).toEqual(JSON.parse(text));
      expect(TokenCache.deserialize(cache.serialize()).serialize()).toBe(cache.serialize());
      expect(cache.hasStateChanged).toBe(false);
    }),
    RUNS,
  );
});

test('whatever bytes are read, the answer is a cache or a RecordCorruptError', () => {
  const text = fc.oneof(
    fc.json(),
    fc.string(),
    fc.json().map((json) => `{"Account":${json},"RefreshToken":{"k":${json}}}`),
  );
  fc.assert(
    fc.property(text, (state) => {
      try {
        expect(TokenCache.deserialize(state).serialize()).toContain('"Account":');
      } catch (error) {
        expect(error).toMatchObject({ code: 'TOKENRY_RECORD_CORRUPT' });
      }
    }),
    { numRuns: 500 },
  );
});

test('changes of different accounts commute', () => {
  fc.assert(
    fc.property(history, history, history, (before, mine, theirs) => {
      const base = start(before);
      const a = stored(
        play(
          base,
          mine.filter((one) => one.home === homes[0]),
        ),
      );
      const b = stored(
        play(
          base,
          theirs.filter((one) => one.home !== homes[0]),
        ),
      );
      const [ab, ba] = [mergeTokenCaches(base, a, b), mergeTokenCaches(base, b, a)];
      expect(content(ab)).toEqual(content(ba));
      expect(content(ab)).toEqual(content(mergeTokenCaches(base, mergeTokenCaches(base, a, b), ab)));
    }),
    RUNS,
  );
});

test('merging never throws, invents no secret, and leaves every lone change in place', () => {
  fc.assert(
    fc.property(history, history, history, fc.boolean(), (before, mine, theirs, loaded) => {
      const base = start(before);
      const [a, b] = [play(base, mine), stored(play(base, theirs))];
      const merged = mergeTokenCaches(loaded ? base : undefined, a, b);
      const known = new Set([...secretsIn(a), ...secretsIn(b)]);
      for (const secret of secretsIn(merged)) expect(known.has(secret)).toBe(true);
      expect(merged.base?.serialize()).toBe(b.serialize());
      expect(content(mergeTokenCaches(base, base.clone(), b))).toEqual(content(b));
      expect(content(mergeTokenCaches(base, a, base.clone()))).toEqual(content(a));
    }),
    RUNS,
  );
});

test('a stale base never eats a sign-in, and a late refresh never replaces one', () => {
  const refreshes = fc.array(
    token.map((one) => ({ ...one, kind: 'refresh' as const, home: homes[0] ?? '' })),
    { maxLength: 3 },
  );
  const signIn = token.map((one) => ({ ...one, kind: 'sign-in' as const, home: homes[0] ?? '' }));
  fc.assert(
    fc.property(history, refreshes, signIn, fc.boolean(), (before, late, newest, removedFirst) => {
      const base = start(before);
      const removed: Change[] = removedFirst ? [{ kind: 'remove', home: newest.home }] : [];
      const signedIn = play(base, [...removed, newest]);
      const expected = signedIn.getRefreshToken({ homeAccountId: newest.home })?.secret;
      const stale = play(base, late);
      for (const merged of [mergeTokenCaches(base, stale, stored(signedIn)), mergeTokenCaches(base, signedIn, stored(stale))]) {
        expect(merged.getRefreshToken({ homeAccountId: newest.home })?.secret).toBe(expected);
        expect(merged.getAccount({ homeAccountId: newest.home })).toBeDefined();
      }
    }),
    RUNS,
  );
});

test('removal wins over refreshes, whichever side does what', () => {
  const refresh = token.map((one) => ({ ...one, kind: 'refresh' as const, home: homes[0] ?? '' }));
  const first = token.map((one) => ({ ...one, kind: 'sign-in' as const, home: homes[0] ?? '' }));
  fc.assert(
    fc.property(history, first, fc.array(refresh, { maxLength: 3 }), (before, signIn, refreshes) => {
      const base = start([...before, signIn]);
      const removed = play(base, [{ kind: 'remove', home: signIn.home }]);
      const refreshed = play(base, refreshes);
      for (const merged of [
        mergeTokenCaches(base, removed, stored(refreshed)),
        mergeTokenCaches(base, refreshed, stored(removed)),
      ]) {
        expect(merged.getAccount({ homeAccountId: signIn.home })).toBeUndefined();
        expect(merged.serialize()).not.toContain(signIn.home);
      }
    }),
    RUNS,
  );
});

test('normalising scopes again changes nothing, and every request contains itself', () => {
  const anyScope = fc.oneof(
    permission,
    fc.constantFrom('openid', `${GRAPH}/.default`, 'api://x/.default'),
    fc.string({ minLength: 1 }),
  );
  fc.assert(
    fc.property(fc.array(anyScope), fc.array(anyScope), (asked, more) => {
      const set = normaliseScopes(asked);
      expect(normaliseScopes(set)).toEqual(set);
      expect(normaliseScopes([...asked].reverse().map((scope) => scope.toUpperCase()))).toEqual(set);
      if (set.length > 0) expect(contains(normaliseScopes([...asked, ...more]), set)).toBe(true);
    }),
    RUNS,
  );
});

test('whatever is asked and granted, the next call with the same request finds the token: nothing loops', () => {
  const asked = fc.array(fc.oneof(permission, fc.constantFrom('openid', `${GRAPH}/.default`, 'guid-1/.default')), {
    maxLength: 3,
  });
  const granted = fc.option(fc.array(permission, { maxLength: 3 }), { nil: null });
  fc.assert(
    fc.property(fc.array(fc.tuple(asked, granted), { minLength: 1, maxLength: 6 }), (requests) => {
      const cache = new TokenCache();
      const request = (wanted: readonly string[], id: string) => ({
        id,
        clientId: CLIENT,
        environments: ['login.windows.net'],
        homeAccountId: homes[0] ?? '',
        scopes: wanted,
      });
      const find = (from: TokenCache, wanted: readonly string[]) => new AccessTokenIndex(from).find(request(wanted, '1'));
      for (const [wanted, grant] of requests) {
        const response = answer({
          tag: `loop-${serial++}`,
          home: homes[0] ?? '',
          scope: grant === null ? null : grant.join(' '),
        });
        if (grant?.length === 0) response.scope = 'openid';
        cache.add(event(response, { scopes: wanted }));
        expect(find(cache, wanted)?.secret).toBe(cache.lastAdded?.accessToken?.secret);
        expect(find(stored(cache), wanted)?.secret).toBe(cache.lastAdded?.accessToken?.secret);
      }
      for (const [wanted] of requests) expect(find(cache, wanted)).toMatchObject({ expiresAt: NOON_MS + 3_600_000 });
    }),
    RUNS,
  );
});
