import { expect, test } from 'vitest';
import { mergeTokenCaches } from '../../src/tokens/merge.js';
import type { TokenEvent } from '../../src/tokens/schema.js';
import { TokenCache } from '../../src/tokens/token-cache.js';
import { answer, event } from './fixtures/answers.js';
import { ADA, BOB, CLIENT, NOON_MS, node7Record } from './fixtures/records.js';

const LATER = NOON_MS + 600_000;
const refresh = (tag: string, more: Partial<TokenEvent> = {}) =>
  event(answer({ tag }), { grantType: 'refresh_token', now: LATER, ...more });
const signIn = (tag: string, more: Partial<TokenEvent> = {}) => event(answer({ tag }), { now: LATER, ...more });
const bob = event(answer({ tag: 'bob', home: BOB, username: 'bob@contoso.example' }));

/** What the store held when everybody read it: Ada, signed in. */
const base = () => {
  const cache = new TokenCache();
  cache.add(event(answer({ tag: 'base' })));
  return TokenCache.deserialize(cache.serialize());
};
/** The same record after somebody's change, as it comes from the store. */
const after = (from: TokenCache, ...changes: ((cache: TokenCache) => void)[]) => {
  const cache = from.clone();
  for (const change of changes) change(cache);
  return cache;
};
const reread = (cache: TokenCache) => TokenCache.deserialize(cache.serialize());
const add = (one: TokenEvent) => (cache: TokenCache) => cache.add(one);
const removeAda = (cache: TokenCache) => void cache.removeAccount({ homeAccountId: ADA });
const rt = (cache: TokenCache) => cache.getRefreshToken({ homeAccountId: ADA })?.secret;
const at = (cache: TokenCache) => cache.getAccessToken({ homeAccountId: ADA })?.secret;

test('what only one side changed is taken over', () => {
  const was = base();
  const merged = mergeTokenCaches(was, after(was, add(refresh('mine'))), reread(after(was, add(bob))));
  expect([rt(merged), at(merged)]).toEqual(['rt-TEST-mine', 'at-TEST-mine']);
  expect(merged.getAccounts()).toHaveLength(2);
  expect(merged.hasStateChanged).toBe(true);
});

test('nothing changed here means nothing to write', () => {
  const was = base();
  const merged = mergeTokenCaches(was, was.clone(), reread(after(was, add(refresh('theirs')))));
  expect(merged.hasStateChanged).toBe(false);
  expect(rt(merged)).toBe('rt-TEST-theirs');
});

test('an unchanged store takes over everything that was done here', () => {
  const was = base();
  const merged = mergeTokenCaches(was.base, after(was, removeAda, add(bob)), was);
  expect(merged.getAccounts().map(({ homeAccountId }) => homeAccountId)).toEqual([BOB]);
  expect(merged.hasStateChanged).toBe(true);
});

test('of two refreshes the stored one stays, and its access token with it', () => {
  const was = base();
  const mine = after(was, add(refresh('mine', { now: LATER + 60_000 })));
  const merged = mergeTokenCaches(was, mine, reread(after(was, add(refresh('theirs')))));
  expect([rt(merged), at(merged)]).toEqual(['rt-TEST-theirs', 'at-TEST-theirs']);
  expect(merged.serialize()).not.toContain('TEST-mine');
});

test('a stored sign-in is not replaced by a late refresh, however new that is', () => {
  const was = base();
  const mine = after(was, add(refresh('mine', { now: LATER + 3_000_000 })));
  const merged = mergeTokenCaches(was, mine, reread(after(was, add(signIn('theirs')))));
  expect([rt(merged), at(merged)]).toEqual(['rt-TEST-theirs', 'at-TEST-theirs']);
});

test('a sign-in here replaces a stored refresh', () => {
  const was = base();
  const merged = mergeTokenCaches(
    was,
    after(was, add(signIn('mine'))),
    reread(after(was, add(refresh('theirs', { now: LATER + 60_000 })))),
  );
  expect([rt(merged), at(merged)]).toEqual(['rt-TEST-mine', 'at-TEST-mine']);
});

test('of two sign-ins the later stays', () => {
  const was = base();
  const [early, late] = [after(was, add(signIn('early'))), after(was, add(signIn('late', { now: LATER + 60_000 })))];
  expect(rt(mergeTokenCaches(was, early, reread(late)))).toBe('rt-TEST-late');
  expect(rt(mergeTokenCaches(was, late, reread(early)))).toBe('rt-TEST-late');
});

test('removal wins over a refresh, on whichever side it happened', () => {
  const was = base();
  const [removed, refreshed] = [after(was, removeAda), after(was, add(refresh('2')))];
  for (const merged of [mergeTokenCaches(was, removed, reread(refreshed)), mergeTokenCaches(was, refreshed, reread(removed))]) {
    expect(merged.hasData).toBe(false);
    expect(merged.serialize()).not.toContain('TEST');
  }
});

test('removal never wins over a sign-in, not even with both clocks standing still', () => {
  const was = base();
  const again = after(was, removeAda, add(event(answer({ tag: 'again' }))));
  for (const merged of [
    mergeTokenCaches(was, after(was, removeAda), reread(again)),
    mergeTokenCaches(was, again, reread(after(was, removeAda))),
  ]) {
    expect(rt(merged)).toBe('rt-TEST-again');
    expect(merged.getAccounts()).toHaveLength(1);
    expect(merged.serialize()).not.toContain('TEST-base');
  }
});

test('of a removed account that signed in again only what the sign-in brought stays', () => {
  const was = base();
  was.add(event(answer({ tag: 'files', scope: 'https://contoso.sharepoint.com/AllSites.Read', without: ['refresh_token'] })));
  const read = reread(was);
  const merged = mergeTokenCaches(read, after(read, removeAda), reread(after(read, add(signIn('again')))));
  expect(rt(merged)).toBe('rt-TEST-again');
  expect(merged.serialize()).not.toContain('TEST-files');
});

test('a sign-in counts as later than the one it replaced, though its clock is behind', () => {
  const was = base();
  const fast = after(was, add(signIn('fast', { now: LATER + 3_600_000 })));
  const behind = after(fast, add(signIn('behind')));
  expect(rt(mergeTokenCaches(was, fast, reread(behind)))).toBe('rt-TEST-behind');
  expect(rt(mergeTokenCaches(was, behind, reread(fast)))).toBe('rt-TEST-behind');
});

test('a cache that was never loaded adds and replaces, and removes nothing', () => {
  const mine = new TokenCache();
  mine.add(signIn('mine', { now: NOON_MS - 86_400_000 }));
  const merged = mergeTokenCaches(mine.base, mine, reread(after(base(), add(bob))));
  expect(rt(merged)).toBe('rt-TEST-mine');
  expect(merged.serialize()).toContain('rt-TEST-bob');
});

test('of two access tokens under one key the newer stays where the refresh token did not change', () => {
  const was = base();
  const without = (tag: string, now: number) =>
    event(answer({ tag, without: ['refresh_token'] }), { grantType: 'refresh_token', now });
  const [older, newer] = [after(was, add(without('older', LATER))), after(was, add(without('newer', LATER + 60_000)))];
  expect(at(mergeTokenCaches(was, older, reread(newer)))).toBe('at-TEST-newer');
  expect(at(mergeTokenCaches(was, newer, reread(older)))).toBe('at-TEST-newer');
});

test('a refused refresh token is removed unless it was replaced meanwhile', () => {
  const was = base();
  const mine = after(was, (cache) => void cache.removeRefreshToken('rt-TEST-base'));
  expect(rt(mergeTokenCaches(was, mine, reread(was)))).toBeUndefined();
  expect(rt(mergeTokenCaches(was, mine, reread(after(was, add(refresh('theirs'))))))).toBe('rt-TEST-theirs');
});

test('refresh tokens of two clients are two lineages', () => {
  const was = base();
  const mine = after(was, add(refresh('mine')));
  const theirs = after(was, add(refresh('other', { clientId: 'client-2' })));
  const merged = mergeTokenCaches(was, mine, reread(theirs));
  expect(merged.getRefreshToken({ homeAccountId: ADA, clientId: CLIENT })?.secret).toBe('rt-TEST-mine');
  expect(merged.getRefreshToken({ homeAccountId: ADA, clientId: 'client-2' })?.secret).toBe('rt-TEST-other');
});

test('unknown sections and fields merge member by member', () => {
  const record = (extra: object, field: object) => {
    const entities = node7Record();
    Object.assign(Object.values(entities.Account ?? {})[0] ?? {}, field);
    return TokenCache.deserialize(JSON.stringify({ ...entities, ...extra }));
  };
  const was = record({ Custom: { a: 1, b: { c: 1 }, gone: 1 }, list: [1] }, { kept: 1 });
  const mine = record({ Custom: { a: 2, b: { c: 1, mine: 1 }, gone: 1 }, list: [1] }, { kept: 1, mine: 1 });
  const theirs = record({ Custom: { a: 1, b: { c: 1, theirs: 1 } }, list: [1, 2], added: null }, { kept: 1, theirs: 1 });
  const merged = JSON.parse(mergeTokenCaches(was, mine, theirs).serialize());
  expect(merged).toMatchObject({ Custom: { a: 2, b: { c: 1, mine: 1, theirs: 1 } }, list: [1, 2], added: null });
  expect(merged.Custom).not.toHaveProperty('gone');
  expect(Object.values(merged.Account)[0]).toMatchObject({ kept: 1, mine: 1, theirs: 1 });
});

test('the inputs stay as they were', () => {
  const was = base();
  const [mine, theirs] = [after(was, add(refresh('mine'))), reread(after(was, removeAda))];
  const texts = [was, mine, theirs].map((cache) => cache.serialize());
  mergeTokenCaches(was, mine, theirs);
  expect([was, mine, theirs].map((cache) => cache.serialize())).toEqual(texts);
});
