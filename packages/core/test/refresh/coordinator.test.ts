import { expect, test } from 'vitest';
import { InteractionRequiredError, RefreshThrottledError } from '../../src/errors.js';
import { NotSentError, TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import { homeOf } from '../backend/support/tokens.js';
import { eventsDuring, HOUR_MS, KEY, outcomeOf, World } from './support/world.js';

const refusal =
  (error: string, more: object = {}) =>
  () => {
    throw new TokenEndpointError({ error, status: 400, ...more });
  };
const rejection = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

// ── step 4: leases ──────────────────────────────────────────────────────────────────────────────────────────────────

test('a call that meets a lease watches the record and adopts the token that its holder stores', async () => {
  const world = await World.expired();
  let leaseName = '';
  world.atStep = async (step, name) => {
    if (step !== 'before-lease' || leaseName !== '') return;
    leaseName = name;
    await world.leases.steal(name);
  };
  const call = outcomeOf(world.get());
  await world.clock.advance(2_000);
  await world.refreshElsewhere('ada');
  await world.clock.advance(2_000);
  expect(await call).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(0);
});

test('a lease that is held past waitMs ends the call with LeaseTimeoutError naming the holder', async () => {
  const world = await World.expired();
  world.atStep = async (step, name) => {
    if (step === 'before-lease') await world.leases.steal(name);
  };
  const call = rejection(world.get());
  for (let minute = 0; minute < 3; minute++) {
    await world.clock.advance(31_000);
    for (const name of world.leases.holders.keys()) await world.leases.renew(name, { owner: 'stranger', ttlMs: 60_000 });
  }
  expect(await call).toMatchObject({ code: 'TOKENRY_LEASE_TIMEOUT', holder: 'stranger' });
  expect(world.callsSent).toBe(0);
});

test('without the lease store no refresh token is sent, unless refreshWithoutLease says so', async () => {
  const strict = await World.expired();
  strict.leases.down = true;
  expect(await outcomeOf(strict.get())).toBe('TOKENRY_BACKEND_UNAVAILABLE');
  expect(strict.callsSent).toBe(0);
  const lax = await World.expired(['ada'], { refreshWithoutLease: true });
  lax.leases.down = true;
  expect(await outcomeOf(lax.get())).toBe('at-TEST-ada-102');
});

test('an application obtains its own token without the lease store, and without the record store', async () => {
  const world = new World({ appOnly: true });
  world.leases.down = true;
  expect(await outcomeOf(world.get())).toBe('at-TEST-app-101');
  const heal = world.breakStore();
  expect(await outcomeOf(world.get({ tokenKey: 'other' }))).toBe('at-TEST-app-102');
  heal();
});

test('a lease with a short TTL is enough to refresh under, and one that always runs out ends in an error', async () => {
  const short = await World.expired(['ada'], { timing: { ttlMs: 3_000, renewEveryMs: 1_000, waitMs: 5_000 } });
  expect(await outcomeOf(short.get())).toBe('at-TEST-ada-102');

  const slow = await World.expired();
  slow.atStep = async (step, name) => {
    if (step !== 'lease-held') return;
    await slow.leases.steal(name);
    await slow.clock.advance(20_000);
    await slow.leases.giveBack(name);
  };
  expect(await outcomeOf(slow.get())).toBe('TOKENRY_REFRESH_FAILED');
  expect(slow.callsSent).toBe(0);
});

// ── step 5: adoption ────────────────────────────────────────────────────────────────────────────────────────────────

test('the token that triggered the refresh is never adopted, however long it lasts', async () => {
  const world = new World();
  await world.signIn('ada');
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-101');
  expect(await outcomeOf(world.get({ forceRefresh: true }))).toBe('at-TEST-ada-102');
  expect(await outcomeOf(world.get({ refusedToken: 'at-TEST-ada-102' }))).toBe('at-TEST-ada-103');
});

test('a refused token is answered with the one that the record holds meanwhile', async () => {
  const world = new World();
  await world.signIn('ada');
  const { token } = await world.get();
  await world.clock.advance(400_000);
  await world.refreshElsewhere('ada');
  expect(await outcomeOf(world.get({ refusedToken: token }))).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(0);
});

test('a token with too little left, for other scopes, or of another account is not adopted', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.signIn('ben');
  await world.clock.advance(HOUR_MS - 100_000);
  const ada = { homeAccountId: 'ada.tenant-1' };
  // 100 s left: more than the hard window, less than the soft one.
  world.atStep = async (step) => {
    if (step === 'before-lease') world.atStep = undefined;
  };
  expect(await outcomeOf(world.get({ question: ada, minimumLifetimeMs: 200_000 }))).toBe('at-TEST-ada-103');
  expect(await outcomeOf(world.get({ question: { ...ada, scopes: ['https://graph.microsoft.com/Mail.Read'] } }))).toBe(
    'at-TEST-ada-104',
  );
  expect(world.server.calls.map(({ sent }) => sent)).toEqual(['rt-TEST-ada-101', 'rt-TEST-ada-103']);
});

test('minimumLifetimeMs is asked of adopted tokens too, unless they were issued just now', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.clock.advance(HOUR_MS / 2);
  let passesMs = 0;
  world.atStep = async (step) => {
    if (step !== 'lease-held') return;
    world.atStep = undefined;
    world.server.expiresInSeconds = 1_200;
    await world.refreshElsewhere('ada');
    await world.clock.advance(passesMs);
    world.server.expiresInSeconds = 3_600;
  };
  const step = world.atStep;
  expect(await outcomeOf(world.get({ minimumLifetimeMs: HOUR_MS * 0.9 }))).toBe('at-TEST-ada-102');
  passesMs = 31_000;
  world.atStep = step;
  expect(await outcomeOf(world.get({ minimumLifetimeMs: HOUR_MS * 0.9 }))).toBe('at-TEST-ada-104');
});

// ── step 6: the call ────────────────────────────────────────────────────────────────────────────────────────────────

test('a call is repeated when nothing was sent, three times in all', async () => {
  const world = await World.expired();
  const nothingSent = () => {
    throw new NotSentError('connection refused');
  };
  world.server.twists.push(nothingSent, nothingSent);
  const call = outcomeOf(world.get());
  await world.clock.advance(5_000);
  expect(await call).toBe('at-TEST-ada-102');

  await world.clock.advance(2 * HOUR_MS);
  world.server.twists.push(nothingSent, nothingSent, nothingSent);
  const failed = outcomeOf(world.get());
  await world.clock.advance(5_000);
  expect(await failed).toBe('TOKENRY_REFRESH_FAILED');
  expect(world.callsSent).toBe(6);
});

test('429 is repeated after Retry-After; one that asks for more than ten seconds is passed on, and nobody calls until then', async () => {
  const world = await World.expired();
  world.server.kind = 'throttled';
  world.server.twists.push(refusal('too_many_requests', { status: 429, retryAfterMs: 2_000 }));
  const call = outcomeOf(world.get());
  await world.clock.advance(1_900);
  expect(world.callsSent).toBe(1);
  await world.clock.advance(200);
  expect(await call).toBe('at-TEST-ada-102');

  await world.clock.advance(2 * HOUR_MS);
  world.server.twists.push(refusal('too_many_requests', { status: 429, retryAfterMs: 60_000 }));
  const throttled = await rejection(world.get());
  expect(RefreshThrottledError.is(throttled) && throttled.retryAfterMs).toBe(60_000);
  await world.clock.advance(50_000);
  expect(await rejection(world.get({ forceRefresh: true }))).toMatchObject({
    code: 'TOKENRY_REFRESH_THROTTLED',
    retryAfterMs: 10_000,
  });
  expect(world.callsSent).toBe(3);
  await world.clock.advance(10_000);
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-103');
});

test('a 429 is not repeated when the lease was lost while waiting', async () => {
  const world = await World.expired(['ada'], { timing: { ttlMs: 60_000, renewEveryMs: 2_000, waitMs: 90_000 } });
  world.server.kind = 'throttled';
  world.server.twists.push(async () => {
    for (const name of world.leases.holders.keys()) await world.leases.steal(name);
    refusal('too_many_requests', { status: 429, retryAfterMs: 5_000 })();
  });
  const call = outcomeOf(world.get());
  await world.clock.advance(10_000);
  expect(await call).toBe('TOKENRY_REFRESH_THROTTLED');
  expect(world.callsSent).toBe(1);
});

test('a call that is sent and unanswered is not repeated; the next attempt sends what is stored', async () => {
  const world = await World.expired();
  world.server.twists.push(() => {
    throw new Error('socket hang up');
  });
  expect(await outcomeOf(world.get())).toBe('TOKENRY_REFRESH_FAILED');
  expect(world.callsSent).toBe(1);
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(world.server.calls.map(({ sent }) => sent)).toEqual(['rt-TEST-ada-101', 'rt-TEST-ada-101']);
});

test('a call that is unanswered adopts what somebody else has stored', async () => {
  const world = await World.expired();
  world.server.twists.push(async () => {
    await world.refreshElsewhere('ada');
    throw new Error('socket hang up');
  });
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(1);
});

test('other scopes of one account are refreshed one after the other, each with the newest refresh token', async () => {
  const world = await World.expired();
  const scopes = Array.from({ length: 10 }, (_, index) => [`https://api${index}.example/Read`]);
  const answers = await Promise.all(scopes.map((one) => outcomeOf(world.get({ question: { scopes: one } }))));
  expect(answers).toEqual(scopes.map((_, index) => `at-TEST-ada-${102 + index}`));
  expect(world.server.calls.map(({ sent }) => sent)).toEqual(scopes.map((_, index) => `rt-TEST-ada-${101 + index}`));
  expect(world.server.inFlight.most).toBe(1);
});

test('a process that stands still beyond its lease, after its last look at it, sends nothing and adopts what others obtained', async () => {
  const world = await World.expired(['ada'], { fetch: async () => new Response() });
  let stalls = 0;
  world.server.beforeFetch = async () => {
    if (stalls++ > 0) return;
    // The process stops here: no timer runs, and the lease is somebody else's when it goes on.
    world.clock.jump(61_000);
    const [name = ''] = world.leases.holders.keys();
    await world.leases.steal(name);
    await world.refreshElsewhere('ada');
    await world.leases.giveBack(name);
  };
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect([stalls, world.callsSent]).toEqual([1, 0]);
});

// ── step 7: saving ──────────────────────────────────────────────────────────────────────────────────────────────────

test('tokens that cannot be saved are handed out, keep the lease, and are saved when the store is back', async () => {
  const world = await World.expired();
  let heal = () => {};
  let leaseName = '';
  world.atStep = (step, name) => {
    leaseName = name;
    if (step === 'answered') heal = world.breakStore();
  };
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  await world.clock.advance(60_000);
  const probe = () => world.leases.tryAcquire(leaseName, { owner: 'probe', ttlMs: 1 });
  expect(await probe()).toMatchObject({ acquired: false });
  expect(world.steps.at(-1)).toBe('before-release');
  heal();
  await world.clock.advance(60_000);
  expect(await world.storedRefreshToken()).toBe('rt-TEST-ada-102');
  expect(world.steps.at(-1)).toBe('released');
  expect(await probe()).toEqual({ acquired: true });
  await world.coordinator.saved();
});

test('an answer without the token that was asked for keeps the lease as well while it is not saved', async () => {
  const world = await World.expired();
  let heal = () => {};
  let leaseName = '';
  world.atStep = (step, name) => {
    leaseName = name;
    if (step === 'answered') heal = world.breakStore();
  };
  // The server's tokens are for tenant-1 whatever it is asked.
  expect(await outcomeOf(world.get({ question: { tenantId: 'tenant-2' } }))).toBe('TOKENRY_REFRESH_FAILED');
  await world.clock.advance(60_000);
  const probe = () => world.leases.tryAcquire(leaseName, { owner: 'probe', ttlMs: 1 });
  expect(await probe()).toMatchObject({ acquired: false });
  heal();
  await world.clock.advance(60_000);
  expect(await world.storedRefreshToken()).toBe('rt-TEST-ada-102');
  expect(await probe()).toEqual({ acquired: true });
});

test('the lease of a save that is pending for five minutes is given back, and the save goes on', async () => {
  const world = await World.expired();
  let heal = () => {};
  world.atStep = (step) => {
    if (step === 'answered') heal = world.breakStore();
  };
  await world.get();
  await world.clock.advance(299_000);
  expect(world.steps.at(-1)).toBe('before-release');
  await world.clock.advance(2_000);
  expect(world.steps.at(-1)).toBe('released');
  heal();
  await world.clock.advance(60_000);
  expect(await world.storedRefreshToken()).toBe('rt-TEST-ada-102');
});

test('saved() gives up after half a minute, naming the record', async () => {
  const world = await World.expired();
  world.atStep = (step) => {
    if (step === 'answered') world.breakStore();
  };
  await world.get();
  const saved = rejection(world.coordinator.saved());
  await world.clock.advance(30_000);
  expect(await saved).toMatchObject({ code: 'TOKENRY_TOKEN_NOT_SAVED', tokenKeys: [KEY] });
});

// ── step 8: refusals ────────────────────────────────────────────────────────────────────────────────────────────────

test('invalid_grant with a newer refresh token in the record: that one is used, once', async () => {
  const world = await World.expired();
  // The other process's own access token is nearly over, so there is nothing to adopt.
  world.server.twists.push(async () => {
    world.server.expiresInSeconds = 1;
    await world.refreshElsewhere('ada');
    await world.clock.advance(1_000);
    world.server.expiresInSeconds = 3_600;
  });
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-103');
  expect(world.server.calls.map(({ sent }) => sent)).toEqual(['rt-TEST-ada-101', 'rt-TEST-ada-102']);

  await world.clock.advance(2 * HOUR_MS);
  const replaced = async () => {
    world.server.expiresInSeconds = 1;
    await world.refreshElsewhere('ada');
    await world.clock.advance(1_000);
    world.server.expiresInSeconds = 3_600;
    refusal('invalid_grant')();
  };
  world.server.twists.push(replaced, replaced);
  expect(await outcomeOf(world.get())).toBe('TOKENRY_INTERACTION_REQUIRED');
  expect(world.callsSent).toBe(4);
  // What was refused is not what is stored: it stays.
  expect(await world.storedRefreshToken()).toBe(world.server.validFor('ada'));
});

test('token-refused: the refused refresh token is removed from the store, the account stays', async () => {
  const world = await World.expired();
  world.server.setValid('ada', 'rt-TEST-revoked');
  const error = await rejection(world.get());
  expect(error).toMatchObject({ code: 'TOKENRY_INTERACTION_REQUIRED', hint: 'A hint in plain language.' });
  expect(await world.storedRefreshToken()).toBeUndefined();
  expect((await world.stored())?.getAccounts()).toHaveLength(1);
  expect(await outcomeOf(world.get())).toBe('TOKENRY_NOT_AUTHENTICATED');
  expect(world.callsSent).toBe(1);
});

test('request-refused: a sign-in at another process ends it at once', async () => {
  const world = await World.expired();
  world.server.kind = 'request-refused';
  world.server.twists.push(refusal('interaction_required'));
  expect(await outcomeOf(world.get())).toBe('TOKENRY_INTERACTION_REQUIRED');
  await world.signIn('ada');
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  expect(world.callsSent).toBe(1);
});

test('request-refused: the refresh token stays, and the refusal is remembered for these scopes during the cool-down', async () => {
  const world = await World.expired();
  world.server.kind = 'request-refused';
  world.server.twists.push(refusal('invalid_grant', { suberror: 'consent_required', claims: '{"access_token":{}}' }));
  const error = await rejection(world.get());
  expect(InteractionRequiredError.is(error) && error.claims).toBe('{"access_token":{}}');
  expect(await rejection(world.get())).toBe(error);
  expect(world.callsSent).toBe(1);
  expect(await world.storedRefreshToken()).toBe('rt-TEST-ada-101');
  expect(await outcomeOf(world.get({ question: { scopes: ['https://api.example/Read'] } }))).toBe('at-TEST-ada-102');
});

test('a remembered refusal ends with the cool-down, with a new sign-in, and for who insists', async () => {
  const world = await World.expired();
  world.server.kind = 'request-refused';
  const refuse = refusal('interaction_required');
  world.server.twists.push(refuse);
  await rejection(world.get());
  await world.clock.advance(30_000);
  world.server.twists.push(refuse);
  await rejection(world.get());
  expect(world.callsSent).toBe(2);
  world.server.twists.push(refuse);
  await rejection(world.get({ forceRefresh: true }));
  expect(world.callsSent).toBe(3);
  await world.signIn('ada');
  await world.clock.advance(HOUR_MS * 0.99);
  world.server.twists.length = 0;
  expect(await outcomeOf(world.get({ minimumLifetimeMs: 300_000 }))).toBe('at-TEST-ada-103');
});

test('transient: a caller with a valid token gets that, and the server is left alone for the cool-down', async () => {
  const world = new World();
  await world.signIn('ada');
  await world.clock.advance(HOUR_MS - 30_000);
  world.server.kind = 'transient';
  world.server.twists.push(refusal('temporarily_unavailable', { status: 503 }));
  const refreshes = await eventsDuring('refresh', async () => {
    expect(await outcomeOf(world.get())).toBe('at-TEST-ada-101');
    expect(await outcomeOf(world.get())).toBe('at-TEST-ada-101');
  });
  expect(world.callsSent).toBe(1);
  expect(refreshes.map(({ outcome }) => outcome)).toEqual(['failed', 'cooling']);
  await world.clock.advance(31_000);
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
});

test('a program whose credentials are refused does not ask again during the cool-down', async () => {
  const world = new World({ appOnly: true });
  world.server.twists.push(refusal('invalid_client', { status: 401 }));
  expect(await outcomeOf(world.get())).toBe('TOKENRY_AUTHORIZATION_DENIED');
  expect(await outcomeOf(world.get())).toBe('TOKENRY_AUTHORIZATION_DENIED');
  expect(world.callsSent).toBe(1);
  await world.clock.advance(30_000);
  expect(await outcomeOf(world.get())).toBe('at-TEST-app-101');
});

// ── step 9 ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('each refresh ends in one event', async () => {
  const world = await World.expired();
  const events = await eventsDuring('refresh', async () => {
    await Promise.all([world.get(), world.get()]);
    world.server.setValid('ada', 'rt-TEST-revoked');
    await rejection(world.get({ forceRefresh: true }));
  });
  expect(events.map(({ outcome, code }) => [outcome, code])).toEqual([
    ['refreshed', undefined],
    ['terminal', 'TOKENRY_INTERACTION_REQUIRED'],
  ]);
  expect(JSON.stringify(events)).not.toContain('TEST-ada');
});

test('however an account is chosen, it is throttled, and its equal wishes are one refresh', async () => {
  const world = await World.expired();
  const chosen = { question: { homeAccountId: homeOf('ada') } };
  const both = [world.get(), world.get(chosen)];
  expect(await Promise.all(both.map(outcomeOf))).toEqual(['at-TEST-ada-102', 'at-TEST-ada-102']);
  await world.clock.advance(2 * HOUR_MS);
  world.server.kind = 'throttled';
  world.server.twists.push(refusal('temporarily_unavailable'));
  expect(await outcomeOf(world.get())).toBe('TOKENRY_REFRESH_THROTTLED');
  expect(await outcomeOf(world.get(chosen))).toBe('TOKENRY_REFRESH_THROTTLED');
  expect(world.callsSent).toBe(2);
});
