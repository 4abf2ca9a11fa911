import { expect, test } from 'vitest';
import { ConditionalWriteLeases } from '../../src/backend/conditional-write-leases.js';
import type { RefreshStep } from '../../src/refresh/step.js';
import { StoreBackend } from '../backend/support/store-backend.js';
import { KEY, outcomeOf, World } from './support/world.js';

/** Lets `edit` happen to the stored bytes at a step, once. */
function editAt(world: World, step: RefreshStep, edit: (text: string) => string | undefined): void {
  world.atStep = async (reached) => {
    if (reached !== step) return;
    world.atStep = undefined;
    const other = new StoreBackend({ store: world.store, clock: world.clock });
    const found = await other.records.read(KEY);
    if (found === undefined || found === 'not-modified') throw new Error('nothing is stored');
    const edited = edit(Buffer.from(found.data).toString());
    if (edited === undefined) await other.records.remove(KEY, { expect: 'anything' });
    else await other.records.write(KEY, Buffer.from(edited), { expect: 'anything' });
  };
}

test('a record that is edited by hand while a token is obtained keeps the edit and gets the token', async () => {
  for (const step of ['lease-held', 'before-send', 'answered'] as const) {
    const world = await World.expired();
    editAt(world, step, (text) => JSON.stringify({ ...JSON.parse(text), Notes: { by: 'hand' } }));
    expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
    expect(await world.storedRefreshToken()).toBe('rt-TEST-ada-102');
    expect(JSON.parse((await world.stored())?.serialize() ?? '').Notes).toEqual({ by: 'hand' });
  }
});

test('a record that is torn before the call is an error of its own, and nothing is sent', async () => {
  const world = await World.expired();
  editAt(world, 'lease-held', (text) => text.slice(0, -10));
  expect(await outcomeOf(world.get())).toBe('TOKENRY_RECORD_CORRUPT');
  expect(world.callsSent).toBe(0);
});

test('a record that is torn after the answer is not written over; the token is handed out, and saved once it is whole again', async () => {
  const world = await World.expired();
  let whole = '';
  editAt(world, 'answered', (text) => {
    whole = text;
    return text.slice(0, -10);
  });
  expect(await outcomeOf(world.get())).toBe('at-TEST-ada-102');
  await world.clock.advance(5_000);
  const owner = new StoreBackend({ store: world.store, clock: world.clock });
  const torn = await owner.records.read(KEY);
  expect(torn !== undefined && torn !== 'not-modified' && Buffer.from(torn.data).toString()).toBe(whole.slice(0, -10));
  await owner.records.write(KEY, Buffer.from(whole), { expect: 'anything' });
  await world.clock.advance(60_000);
  expect(await world.storedRefreshToken()).toBe('rt-TEST-ada-102');
});

test('a record that is removed while a token is obtained stays removed', async () => {
  const world = await World.expired();
  editAt(world, 'answered', () => undefined);
  expect(await outcomeOf(world.get())).toBe('TOKENRY_ACCOUNT_REMOVED');
  expect(await world.stored()).toBeUndefined();
});

test('a lease record that nobody can read counts as held by an unknown, and is taken over after one TTL', async () => {
  const clockWorld = new World();
  const { store, clock } = clockWorld;
  const backend = new StoreBackend({ store, clock });
  const leases = backend.leases;
  expect(leases).toBeInstanceOf(ConditionalWriteLeases);
  const world = await World.expired(['ada'], { leases: new StoreBackend({ store, clock }).leases });
  // Its name is known only once somebody asks for it.
  let leaseName = '';
  world.atStep = async (step, name) => {
    if (step !== 'before-lease' || leaseName !== '') return;
    leaseName = name;
    await leases.tryAcquire(name, { owner: 'probe', ttlMs: 60_000 });
    for (const recordName of store.records.keys())
      if (recordName.startsWith('=lease-')) await store.write(recordName, Buffer.from('{"torn'), { expect: 'anything' });
  };
  const call = outcomeOf(world.get());
  for (let waited = 0; waited < 80_000; waited += 5_000) {
    await clock.advance(5_000);
    await world.clock.advance(5_000);
  }
  expect(await call).toBe('at-TEST-ada-102');
});
