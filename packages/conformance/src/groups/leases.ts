import assert from 'node:assert/strict';
import { group } from '../group.js';
import { HoldLog } from '../hold-log.js';
import { acquire, acquireInTime, type Party, refused, release, renew } from '../holder.js';
import { pause } from '../pause.js';
import type { Scene } from '../scene.js';

/** Long enough that no lease runs out by itself while a test looks at it. */
const LONG_MS = 60_000;
const CONTENDERS = 4;
const ABANDONED = 10;

export const leases = group('leases', {
  'a lease has one owner at a time': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada', 'bob'], LONG_MS);
    await acquire(ada, 'job');
    await refused(bob, 'job');
  },

  'a refused contender learns who holds the lease': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada-host-17', 'bob'], LONG_MS);
    await acquire(ada, 'job');
    assert.match(await refused(bob, 'job'), /ada-host-17/);
  },

  'of many simultaneous requests for a free lease one is granted': async (scene) => {
    const contenders = await parties(scene, ['a', 'b', 'c', 'd', 'e', 'f'], LONG_MS);
    for (const name of ['job-1', 'job-2', 'job-3']) {
      const answers = await Promise.all(contenders.map(({ leases, owner, ttlMs }) => leases.tryAcquire(name, { owner, ttlMs })));
      assert.equal(answers.filter(({ acquired }) => acquired).length, 1, `holders of ${name}`);
    }
  },

  'an owner that holds a lease is refused it like anybody else': async (scene) => {
    const [ada, again] = await parties(scene, ['ada', 'ada'], LONG_MS);
    await acquire(ada, 'job');
    await refused(again, 'job');
  },

  'leases with different names are independent': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada', 'bob'], LONG_MS);
    const names = ['job', 'Job', 'job/', 'job/1', '../job', 'jöb', 'jo\u0308b', 'x'.repeat(300), `${'x'.repeat(300)}y`];
    for (const name of names) await acquire(ada, name);
    for (const name of names) await refused(bob, name);
  },

  'a released lease is free at once': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada', 'bob'], LONG_MS);
    await acquire(ada, 'job');
    await refused(bob, 'job');
    await release(ada, 'job');
    await acquire(bob, 'job');
    await refused(ada, 'job');
  },

  'releasing never frees the lease of a stranger': async (scene) => {
    const [ada, bob, eve] = await parties(scene, ['ada', 'bob', 'eve'], LONG_MS);
    await acquire(ada, 'job');
    await release(bob, 'job');
    await refused(eve, 'job');
    assert.equal(await renew(ada, 'job'), true);
  },

  'releasing a lease that nobody holds is fine': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada', 'bob'], LONG_MS);
    await release(ada, 'job');
    await acquire(ada, 'job');
    await release(ada, 'job');
    await release(ada, 'job');
    await acquire(bob, 'job');
  },

  'only the owner can renew a lease': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada', 'bob'], LONG_MS);
    assert.equal(await renew(bob, 'job'), false, 'a lease that nobody holds was renewed');
    await acquire(ada, 'job');
    assert.equal(await renew(bob, 'job'), false, 'the lease of a stranger was renewed');
    assert.equal(await renew(ada, 'job'), true);
    await release(ada, 'job');
    assert.equal(await renew(ada, 'job'), false, 'a released lease was renewed');
  },

  'a renewed lease is kept beyond its time to live': async (scene) => {
    const [ada, bob] = await parties(scene, ['ada', 'bob'], scene.leaseTtlMs);
    for (const times of [1, 2, 4, 8]) {
      const ttlMs = times * scene.leaseTtlMs;
      if (await keptBeyondTtl({ ...ada, ttlMs }, { ...bob, ttlMs }, `job-${times}`)) return;
    }
    assert.fail(`leases of ${8 * scene.leaseTtlMs} ms run out before they can be renewed: pass a larger leaseTtlMs`);
  },

  'an abandoned lease is taken over by a contender, and its old owner notices': async (scene) => {
    const [dead, heir, third] = await parties(scene, ['dead', 'heir', 'third'], scene.leaseTtlMs);
    await acquire(dead, 'job');
    await acquireInTime(heir, 'job');
    assert.equal(await renew(dead, 'job'), false, 'the old owner renewed a lease that it had lost');
    // A long time to live, so that what follows does not hang on how fast it goes.
    const lasting = { ...heir, ttlMs: LONG_MS };
    if (!(await renew(lasting, 'job'))) await acquireInTime(lasting, 'job');
    await release(dead, 'job');
    await refused(third, 'job');
  },

  'an abandoned lease is never held twice by those who compete for it': async (scene) => {
    const [dead, ...contenders] = await parties(
      scene,
      ['dead', ...Array.from({ length: CONTENDERS }, (_, n) => `c${n}`)],
      scene.leaseTtlMs,
    );
    const log = new HoldLog();
    const names = Array.from({ length: ABANDONED }, (_, n) => `abandoned-${n}`);
    await Promise.all(names.map((name) => compete(name, { dead, contenders, log })));
    log.assertNoDoubleHold();
  },
});

type AtLeastThree = readonly [Party, Party, Party, ...Party[]];

async function parties(scene: Scene, owners: readonly string[], ttlMs: number): Promise<AtLeastThree> {
  const peers = await scene.peers(Math.max(owners.length, 3), 'leases');
  return peers.map((peer, i) => ({ leases: peer.leases, owner: owners[i] ?? 'nobody', ttlMs })) as unknown as AtLeastThree;
}

/** True: a rival was refused after the time to live, for three times of which the lease was renewed. False: too slow to tell. */
async function keptBeyondTtl(holder: Party, rival: Party, name: string): Promise<boolean> {
  const endsAt = performance.now() + 3 * holder.ttlMs;
  let validUntil = await acquire(holder, name);
  // A rival that goes by what it sees must have looked for a whole time to live before its refusal says anything.
  let tellsFrom = Number.POSITIVE_INFINITY;
  let told = false;
  while (performance.now() < endsAt) {
    const askedAt = performance.now();
    const renewed = await renew(holder, name);
    if (!renewed && performance.now() < validUntil) assert.fail('the owner could not renew its lease before it ran out');
    if (!renewed) return false;
    validUntil = askedAt + holder.ttlMs;
    const triedAt = performance.now();
    const { acquired } = await rival.leases.tryAcquire(name, { owner: rival.owner, ttlMs: rival.ttlMs });
    if (acquired && performance.now() < validUntil) assert.fail('a contender got a lease that its owner had just renewed');
    if (acquired) return false;
    told ||= triedAt > tellsFrom;
    tellsFrom = Math.min(tellsFrom, performance.now() + holder.ttlMs);
    await pause(holder.ttlMs / 8);
  }
  return told;
}

async function compete(name: string, { dead, contenders, log }: { dead: Party; contenders: readonly Party[]; log: HoldLog }) {
  const abandonedUntil = await acquire(dead, name);
  log.add(name, { owner: dead.owner, from: performance.now(), until: abandonedUntil });
  await Promise.all(
    contenders.map(async (party) => {
      const validUntil = await acquireInTime(party, name);
      const from = performance.now();
      await pause(party.ttlMs / 8);
      log.add(name, { owner: party.owner, from, until: Math.min(performance.now(), validUntil) });
      await release(party, name);
    }),
  );
}
