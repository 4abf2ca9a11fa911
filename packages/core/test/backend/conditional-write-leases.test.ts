import { describe, expect, it } from 'vitest';
import { ConditionalWriteLeases } from '../../src/backend/conditional-write-leases.js';
import { RawRecords } from '../../src/backend/raw-records.js';
import { BackendUnavailableError } from '../../src/errors.js';
import { AsyncStore } from './support/async-store.js';
import { TestClock } from './support/test-clock.js';

const capabilities = { conditionalWrites: true, leases: true, list: false, durable: true, shared: true };

/** A provider as another process would have it: its own memory, the same store. */
function join(store: AsyncStore, clock = new TestClock()) {
  const records = new RawRecords({ hooks: store, capabilities: () => capabilities, exclusively: (_name, task) => task() });
  return { clock, leases: new ConditionalWriteLeases({ records, clock }) };
}
const as = (owner: string, ttlMs = 60_000) => ({ owner, ttlMs });
const onlyRecord = (store: AsyncStore) => [...store.records.keys()][0] ?? '';

describe('leases on conditional writes', () => {
  it('exclude others until released, by owner', async () => {
    const store = new AsyncStore();
    const [one, other] = [join(store).leases, join(store).leases];
    expect(await one.tryAcquire('l', as('a'))).toEqual({ acquired: true });
    expect(await other.tryAcquire('l', as('b'))).toMatchObject({ acquired: false, holder: 'a' });
    await other.release('l', as('b'));
    expect(await one.tryAcquire('l', as('a'))).toMatchObject({ acquired: false, holder: 'a' });
    await one.release('l', as('a'));
    expect(await other.tryAcquire('l', as('b'))).toEqual({ acquired: true });
    expect(await one.renew('l', as('a'))).toBe(false);
  });

  it('keep one reserved record per lease, without an owner when free', async () => {
    const store = new AsyncStore();
    const { leases } = join(store);
    await leases.tryAcquire('l', as('a'));
    expect(onlyRecord(store)).toMatch(/^=lease-[0-9a-f]{64}$/);
    await leases.release('l', as('a'));
    expect([store.records.size, JSON.parse(store.text(onlyRecord(store)) ?? '')]).toEqual([
      1,
      { tokenryLease: 1, ttlMs: 60_000, counter: 2 },
    ]);
  });

  it('are taken over only after one TTL of silence on the contender’s own clock', async () => {
    const store = new AsyncStore();
    const { leases: dead } = join(store);
    const { leases, clock } = join(store);
    await dead.tryAcquire('l', as('dead', 10_000));
    expect(await leases.tryAcquire('l', as('b'))).toMatchObject({ acquired: false, holder: 'dead' });
    await clock.advance(9_999);
    expect(await leases.tryAcquire('l', as('b'))).toMatchObject({ acquired: false });
    await clock.advance(1);
    expect(await leases.tryAcquire('l', as('b'))).toEqual({ acquired: true });
    expect(await dead.renew('l', as('dead', 10_000))).toBe(false);
  });

  it('are not taken from a holder that renews', async () => {
    const store = new AsyncStore();
    const { leases: holder } = join(store);
    const { leases, clock } = join(store);
    await holder.tryAcquire('l', as('a', 10_000));
    for (let round = 0; round < 20; round++) {
      expect(await leases.tryAcquire('l', as('b'))).toMatchObject({ acquired: false, holder: 'a' });
      await clock.advance(6_000);
      expect(await holder.renew('l', as('a', 10_000))).toBe(true);
    }
  });

  it.each([
    ['corrupt', '{"tokenryLease":1,'],
    ['foreign', '{"locked":true}'],
    ['absurd', '{"tokenryLease":1,"owner":"x","ttlMs":1e300,"counter":1}'],
    ['empty', ''],
    ['huge', 'x'.repeat(100_000)],
  ])('count a %s record as held by an unknown, for one TTL', async (_what, text) => {
    const store = new AsyncStore();
    const { leases, clock } = join(store);
    await leases.tryAcquire('l', as('a'));
    store.records.set(onlyRecord(store), { data: Buffer.from(text), version: 'foreign' });
    expect(await leases.tryAcquire('l', as('b', 5_000))).toEqual({ acquired: false, holder: 'unknown', version: 'foreign' });
    await clock.advance(5_000);
    expect(await leases.tryAcquire('l', as('b', 5_000))).toEqual({ acquired: true });
  });

  it('survive lost answers of acquire, renew and release', async () => {
    const store = new AsyncStore();
    const { leases } = join(store);
    const lose = () => store.faults.push({ operation: 'write', error: new BackendUnavailableError('reset'), commit: true });
    lose();
    expect(await leases.tryAcquire('l', as('a'))).toEqual({ acquired: true });
    lose();
    expect(await leases.renew('l', as('a'))).toBe(true);
    lose();
    store.faults.push({ operation: 'read', error: new BackendUnavailableError('reset') });
    await expect(leases.renew('l', as('a'))).rejects.toThrow('reset');
    expect(await leases.renew('l', as('a'))).toBe(true);
    lose();
    await leases.release('l', as('a'));
    expect(await join(store).leases.tryAcquire('l', as('b'))).toEqual({ acquired: true });
  });

  it('have at most one holder among 4 contenders, most of whom die holding: 0 double holds in 4 000 grants', async () => {
    const store = new AsyncStore();
    store.maxTurns = 4;
    const ttlMs = 1_000;
    const race = { now: 0, grants: 0, takeovers: 0, doubleHolds: 0, heldUntil: -1, holder: '' };
    // Hosts agree on how long a second is and on nothing else.
    const contend = async (index: number) => {
      const clock = { now: () => 0, monotonic: () => race.now + index * 12_345 };
      const records = new RawRecords({ hooks: store, capabilities: () => capabilities, exclusively: (_name, task) => task() });
      const leases = new ConditionalWriteLeases({ records, clock });
      while (race.grants < 4_000) {
        const owner = `${index}-${race.now}-${Math.random()}`;
        const askedAt = race.now;
        const { acquired } = await leases.tryAcquire('l', { owner, ttlMs });
        race.now += Math.random() * 60;
        if (!acquired) continue;
        race.grants += 1;
        if (race.now < race.heldUntil) race.doubleHolds += 1;
        if (race.holder !== '') race.takeovers += 1;
        Object.assign(race, { heldUntil: askedAt + ttlMs, holder: owner });
        if (Math.random() < 0.75) continue;
        if (Math.random() < 0.5) {
          const renewedAt = race.now;
          if ((await leases.renew('l', { owner, ttlMs })) && race.holder === owner) race.heldUntil = renewedAt + ttlMs;
        }
        if (race.holder === owner) Object.assign(race, { heldUntil: -1, holder: '' });
        await leases.release('l', { owner, ttlMs });
      }
    };
    await Promise.all([0, 1, 2, 3].map(contend));
    expect(race.doubleHolds).toBe(0);
    expect(race.takeovers).toBeGreaterThan(2_000);
  });
});
