import { expect, test } from 'vitest';
import { settle } from '../backend/support/test-clock.js';
import { homeOf } from '../backend/support/tokens.js';
import { HOUR_MS, KEY, outcomeOf, World } from './support/world.js';

test('a token outside its soft window comes from memory, without reading the store', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.get();
  const reads = world.store.calls.read;
  for (let call = 0; call < 10; call++) expect(await outcomeOf(world.get())).toBe('at-TEST-ada-101');
  expect(world.source.peek(KEY, world.question())?.token).toBe('at-TEST-ada-101');
  expect(world.store.calls.read).toBe(reads);
});

test('in the soft window the token is handed out and refreshed in the background', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.clock.advance(HOUR_MS - 120_000);
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-101');
  await world.source.settled();
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(1);
});

test('backgroundRefresh: false waits in the soft window, and serves the old token when the refresh fails', async () => {
  const world = new World({ backgroundRefresh: false });
  await world.signIn('ada');
  await world.clock.advance(HOUR_MS - 120_000);
  world.server.twists.push(() => {
    throw new Error('socket hang up');
  });
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-101');
  await world.clock.advance(31_000);
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
});

test('in the hard window callers wait, 25 of them for one call', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.clock.advance(HOUR_MS - 30_000);
  const answers = await Promise.all(Array.from({ length: 25 }, () => outcomeOf(world.get())));
  expect(new Set(answers)).toEqual(new Set(['at-TEST-ada-102']));
  expect(world.callsSent).toBe(1);
});

test('an abort ends only the wait of its caller', async () => {
  const world = await World.expired();
  const gate = Promise.withResolvers<void>();
  world.server.twists.push(() => gate.promise);
  const stop = new AbortController();
  const leaves = world.get({ signal: stop.signal });
  const stays = outcomeOf(world.get());
  await settle();
  stop.abort(new Error('left'));
  await expect(leaves).rejects.toThrow('left');
  gate.resolve();
  expect(await stays).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(1);
});

test('a caller that has aborted before starts nothing', async () => {
  const world = await World.expired();
  await expect(world.get({ signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow('left');
  expect(world.callsSent).toBe(0);
});

test('claims are told apart by value, and pass memory and the store by', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.get();
  const claims = ['{"a":1}', '{"a":1}', '{"a":2}'];
  const answers = await Promise.all(claims.map((one) => outcomeOf(world.get({ claims: one }))));
  expect(answers).toEqual(['at-TEST-ada-102', 'at-TEST-ada-102', 'at-TEST-ada-103']);
  expect(world.server.calls.map((call) => call.claims)).toEqual(['{"a":1}', '{"a":2}']);
});

test('on-behalf-of is one call per assertion, and people do not wait for each other', async () => {
  const world = new World();
  const gate = Promise.withResolvers<void>();
  world.server.twists.push(
    () => gate.promise,
    () => gate.promise,
  );
  const asked = ['as-TEST-ada', 'as-TEST-ada', 'as-TEST-ben'].map((assertion) =>
    outcomeOf(world.get({ question: { assertion } })),
  );
  await settle();
  expect(world.server.inFlight.now).toBe(2);
  gate.resolve();
  const [first, second, third] = await Promise.all(asked);
  expect(first).toBe(second);
  expect(first).not.toBe(third);
  expect(world.callsSent).toBe(2);
  expect(world.leases.counts.tryAcquire).toBe(0);
  expect(await outcomeOf(world.get({ question: { assertion: 'as-TEST-ada' } }))).toBe(first);
});

test('an application token is one call for many callers', async () => {
  const world = new World({ appOnly: true });
  const answers = await Promise.all(Array.from({ length: 25 }, () => outcomeOf(world.get())));
  expect(new Set(answers)).toEqual(new Set(['at-TEST-app-101']));
  expect(world.callsSent).toBe(1);
  expect(await outcomeOf(world.get())).toBe('at-TEST-app-101');
});

test('no rejection is remembered: a failed refresh is tried again by the next caller', async () => {
  const world = await World.expired();
  world.server.twists.push(() => {
    throw new Error('socket hang up');
  });
  const both = await Promise.all([outcomeOf(world.get()), outcomeOf(world.get())]);
  expect(both).toEqual(['TOKENRY_REFRESH_FAILED', 'TOKENRY_REFRESH_FAILED']);
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(2);
});

test('nobody, several accounts, and a removed account are told apart', async () => {
  const world = new World();
  expect(await outcomeOf(world.get())).toBe('TOKENRY_NOT_AUTHENTICATED');
  await world.signIn('ada');
  await world.signIn('ben');
  expect(await outcomeOf(world.get())).toBe('TOKENRY_AMBIGUOUS_ACCOUNT');
  expect(await outcomeOf(world.get({ question: { username: 'BEN@contoso.example' } }))).toBe('at-TEST-ben-102');
  await world.signOut('ada');
  await world.signOut('ben');
  await world.clock.advance(HOUR_MS);
  expect(await outcomeOf(world.get())).toBe('TOKENRY_ACCOUNT_REMOVED');
});

test('an account that memory lacks is looked for in the store: it may have signed in elsewhere', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.get();
  await world.signOut('ada');
  await world.clock.advance(HOUR_MS);
  expect(await outcomeOf(world.get())).toBe('TOKENRY_ACCOUNT_REMOVED');
  await world.signIn('ada');
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  await world.signIn('ben');
  expect(await outcomeOf(world.get({ question: { homeAccountId: homeOf('ben') } }))).toBe('at-TEST-ben-103');
});

test('of several accounts that memory shows, those are meant that are still there', async () => {
  const world = new World();
  for (const name of ['ada', 'ben']) await world.signIn(name);
  expect(await outcomeOf(world.get())).toBe('TOKENRY_AMBIGUOUS_ACCOUNT');
  await world.signOut('ada');
  expect(await outcomeOf(world.get())).toBe('at-TEST-ben-102');
});

test('an outage of the store is not taken for a sign-out that memory knows of', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.signOut('ada');
  expect(await outcomeOf(world.get())).toBe('TOKENRY_ACCOUNT_REMOVED');
  world.breakStore();
  expect(await outcomeOf(world.get())).toBe('TOKENRY_BACKEND_UNAVAILABLE');
});

test('a server whose clock differs sets the expiry, and results are in our time', async () => {
  const world = await World.expired();
  const skew = 300_000;
  world.server.serverNow = world.clock.now() + skew;
  const { expiresAt } = await world.get();
  expect(world.serverClock.offsetMs).toBe(skew);
  expect(Math.abs(expiresAt - (world.clock.now() + HOUR_MS))).toBeLessThanOrEqual(1_000);
});

test('an uncontended refresh costs acquire, fresh read and release beyond the bare read and write', async () => {
  const world = await World.expired();
  const before = { ...world.store.calls };
  const leases = { ...world.leases.counts };
  await world.get();
  expect({ read: world.store.calls.read - before.read, write: world.store.calls.write - before.write }).toEqual({
    read: 2,
    write: 1,
  });
  expect({ ...world.leases.counts }).toEqual({ tryAcquire: leases.tryAcquire + 1, renew: 0, release: leases.release + 1 });
});

/** A refresh of `ada` that waits for a stranger's lease, while another process stores the token that it will adopt. */
async function waitingToAdopt() {
  const world = await World.expired();
  const lease = Promise.withResolvers<string>();
  world.atStep = async (step, name) => {
    if (step !== 'before-lease') return;
    world.atStep = undefined;
    await world.leases.steal(name);
    lease.resolve(name);
  };
  const first = outcomeOf(world.get());
  const name = await lease.promise;
  await world.refreshElsewhere('ada');
  const end = async () => {
    await world.clock.advance(1_000);
    await world.leases.giveBack(name);
    await world.clock.advance(2_000);
  };
  return { world, first, end };
}

test('who brings a refused token is not handed that very token by a refresh that began before', async () => {
  const { world, first, end } = await waitingToAdopt();
  const second = outcomeOf(world.get({ refusedToken: 'at-TEST-ada-102' }));
  await settle();
  await end();
  expect(await first).toBe('at-TEST-ada-102');
  expect(await second).toBe('at-TEST-ada-103');
  expect(world.callsSent).toBe(1);
});

test('who needs a longer life than a refresh that began before asked for waits for a token of that life', async () => {
  const { world, first, end } = await waitingToAdopt();
  const second = outcomeOf(world.get({ minimumLifetimeMs: HOUR_MS - 60_000 }));
  await settle();
  // Nobody looks meanwhile: the process stands still, and the token ages.
  world.clock.jump(120_000);
  await end();
  expect(await first).toBe('at-TEST-ada-102');
  expect(await second).toBe('at-TEST-ada-103');
});

test('who is refused the very token that a refresh has just brought gets the next one, though that refresh still gives its lease back', async () => {
  const world = await World.expired();
  const releasing = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  world.atStep = async (step) => {
    if (step !== 'before-release') return;
    world.atStep = undefined;
    reached.resolve();
    await releasing.promise;
  };
  const first = outcomeOf(world.get());
  await reached.promise;
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  const second = outcomeOf(world.get({ refusedToken: 'at-TEST-ada-102', forceRefresh: true }));
  await settle();
  releasing.resolve();
  expect([await first, await second]).toEqual(['at-TEST-ada-102', 'at-TEST-ada-103']);
  expect(world.callsSent).toBe(2);
});
