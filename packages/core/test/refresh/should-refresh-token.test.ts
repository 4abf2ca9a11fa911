import { expect, test } from 'vitest';
import type { RefreshRequest } from '../../src/backend/token-backend.js';
import { homeOf } from '../backend/support/tokens.js';
import { outcomeOf, World } from './support/world.js';

test('true: the call refreshes', async () => {
  const world = await World.expired();
  const seen: RefreshRequest[] = [];
  world.shouldRefresh = async (request) => {
    seen.push(request);
    return true;
  };
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ tokenKey: 'record', tokenIsExpired: true, account: { homeAccountId: homeOf('ada') } });
});

test('false: somebody else refreshed, and their token is loaded', async () => {
  const world = await World.expired();
  world.shouldRefresh = async () => {
    await world.refreshElsewhere('ada');
    return false;
  };
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(0);
  expect(world.leases.counts.tryAcquire).toBe(0);
});

test('false without a token turning up is believed three times, then the call refreshes', async () => {
  const world = await World.expired();
  let asked = 0;
  world.shouldRefresh = async () => {
    asked += 1;
    return false;
  };
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect([asked, world.callsSent]).toEqual([3, 1]);
});

test('null: the hook refreshed by itself, without a deadlock, and its token is the answer', async () => {
  const world = await World.expired();
  world.shouldRefresh = async (request) => {
    if (await request.reload()) return false;
    await request.refresh();
    return null;
  };
  const answers = await Promise.all(Array.from({ length: 25 }, () => outcomeOf(world.get())));
  expect(new Set(answers)).toEqual(new Set(['at-TEST-ada-102']));
  expect(world.callsSent).toBe(1);
});

test('a refresh inside the hook answers a claims challenge once', async () => {
  const world = await World.expired();
  let asked = 0;
  world.shouldRefresh = async (request) => {
    asked += 1;
    await request.refresh();
    await request.refresh();
    return null;
  };
  expect(await outcomeOf(world.get({ claims: '{"access_token":{}}' }))).toBe('at-TEST-ada-102');
  expect([asked, world.callsSent]).toEqual([1, 1]);
});

test('what the hook throws is what the caller gets, and the next call asks again', async () => {
  const world = await World.expired();
  let asked = 0;
  world.shouldRefresh = async () => {
    if (asked++ === 0) throw new Error('no lock');
    return true;
  };
  expect(await outcomeOf(world.get())).toBe('Error: no lock');
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
});
