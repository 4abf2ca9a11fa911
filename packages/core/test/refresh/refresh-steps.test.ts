import { describe, expect, test } from 'vitest';
import type { RefreshStep } from '../../src/refresh/step.js';
import { outcomeOf, World } from './support/world.js';

const STEPS = ['before-lease', 'lease-held', 'before-send', 'answered', 'saved', 'before-release', 'released'] as const;

/** How a call ends, how many token calls it sent, and whose refresh token is stored in the end. */
type End =
  `${'refreshed' | 'adopted' | 'TOKENRY_ACCOUNT_REMOVED' | 'TOKENRY_BACKEND_UNAVAILABLE'}, ${0 | 1 | 2} sent, ${'own' | 'theirs' | 'old' | 'none'} stored`;

interface Event {
  /** Happens at the step. */
  happens(world: World, leaseName: string): Promise<void>;
  /** Ends it, once the call has ended or waits. */
  passes?(world: World, leaseName: string): Promise<void>;
  /** Expected, step by step, in the order of {@link STEPS}. */
  readonly ends: readonly End[];
}

let heal = () => {};

const EVENTS: Readonly<Record<string, Event>> = {
  nothing: {
    happens: async () => {},
    ends: Array.from(STEPS, () => 'refreshed, 1 sent, own stored' as const),
  },
  'a sign-in elsewhere': {
    happens: (world) => world.signIn('ada'),
    ends: [
      'adopted, 0 sent, theirs stored',
      'adopted, 0 sent, theirs stored',
      // This server ends the old refresh token with the sign-in; the refused call finds the new tokens.
      'adopted, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
    ],
  },
  'a sign-out elsewhere': {
    happens: (world) => world.signOut('ada'),
    ends: [
      'TOKENRY_ACCOUNT_REMOVED, 0 sent, none stored',
      'TOKENRY_ACCOUNT_REMOVED, 0 sent, none stored',
      'TOKENRY_ACCOUNT_REMOVED, 1 sent, none stored',
      'TOKENRY_ACCOUNT_REMOVED, 1 sent, none stored',
      'refreshed, 1 sent, none stored',
      'refreshed, 1 sent, none stored',
      'refreshed, 1 sent, none stored',
    ],
  },
  'a refresh elsewhere, without a lease': {
    happens: (world) => world.refreshElsewhere('ada'),
    ends: [
      'adopted, 0 sent, theirs stored',
      'adopted, 0 sent, theirs stored',
      'adopted, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
      'refreshed, 1 sent, theirs stored',
    ],
  },
  'a loss of the lease': {
    happens: async (world, leaseName) => {
      await world.leases.steal(leaseName);
      // Long enough for a renewal to be refused.
      await world.clock.advance(20_000);
    },
    passes: (world, leaseName) => world.leases.giveBack(leaseName),
    ends: Array.from(STEPS, () => 'refreshed, 1 sent, own stored' as const),
  },
  'an outage of the record store': {
    happens: async (world) => {
      heal = world.breakStore();
    },
    passes: async () => heal(),
    ends: [
      'TOKENRY_BACKEND_UNAVAILABLE, 0 sent, old stored',
      'TOKENRY_BACKEND_UNAVAILABLE, 0 sent, old stored',
      'refreshed, 1 sent, own stored',
      'refreshed, 1 sent, own stored',
      'refreshed, 1 sent, own stored',
      'refreshed, 1 sent, own stored',
      'refreshed, 1 sent, own stored',
    ],
  },
  'an outage of the lease store': {
    happens: async (world) => {
      world.leases.down = true;
    },
    passes: async (world) => {
      world.leases.down = false;
    },
    ends: [
      'TOKENRY_BACKEND_UNAVAILABLE, 0 sent, old stored',
      // The lease that is held stays good for its TTL.
      ...Array.from({ length: 6 }, () => 'refreshed, 1 sent, own stored' as const),
    ],
  },
};

async function play(step: RefreshStep, event: Event): Promise<{ end: string; world: World; leaseName: string }> {
  const world = await World.expired();
  const old = await world.storedRefreshToken();
  let leaseName = '';
  let happened = false;
  world.atStep = async (reached, name) => {
    leaseName = name;
    if (reached !== step || happened) return;
    happened = true;
    await event.happens(world, name);
  };
  let ended = false;
  const call = outcomeOf(world.get()).finally(() => {
    ended = true;
  });
  // Waiting for a stranger's lease, and saving later, take time on the injected clock.
  for (let round = 0; round < 3 && !ended; round++) await world.clock.advance(1_000);
  await event.passes?.(world, leaseName);
  while (!ended) await world.clock.advance(1_000);
  await world.clock.advance(90_000);
  const result = await call;
  expect(happened).toBe(true);

  const stored = await world.storedRefreshToken();
  const token = result.startsWith('at-TEST') ? result : undefined;
  const kind =
    token === undefined
      ? result
      : token === `at-TEST-ada-${generationOf(stored)}` && !world.steps.includes('answered')
        ? 'adopted'
        : 'refreshed';
  const own = token !== undefined && kind === 'refreshed' && generationOf(token) === generationOf(stored);
  const whose = stored === undefined ? 'none' : stored === old ? 'old' : own ? 'own' : 'theirs';
  return { end: `${kind}, ${world.callsSent} sent, ${whose} stored`, world, leaseName };
}

const generationOf = (secret: string | undefined) => secret?.split('-').at(-1);

describe('a refresh with one-time refresh tokens', () => {
  for (const [name, event] of Object.entries(EVENTS))
    for (const [index, step] of STEPS.entries())
      test(`${name} at step ${step}`, async () => {
        const { end, world, leaseName } = await play(step, event);
        expect(end).toBe(event.ends[index]);
        // Whatever happened: what the server still takes is what is stored, nobody holds the lease, a next call works.
        const stored = await world.storedRefreshToken();
        if (stored !== undefined) expect(stored).toBe(world.server.validFor('ada'));
        expect(await world.leases.tryAcquire(leaseName, { owner: 'probe', ttlMs: 1 })).toEqual({ acquired: true });
        if (stored === undefined) return;
        world.atStep = undefined;
        await world.clock.advance(2 * 3_600_000);
        expect(await outcomeOf(world.get())).toBe(`at-TEST-ada-${generationOf(await world.storedRefreshToken())}`);
      });
});
