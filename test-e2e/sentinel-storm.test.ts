/** A primary dies in the middle of refreshes, with tokens that are good for one use: nothing that was obtained may be lost. */
import { BackendUnavailableError } from '@tokenry/core';
import { RedisTokenBackend } from '@tokenry/redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisAvailable } from '../packages/redis/test/servers/availability.js';
import { eventually } from '../packages/redis/test/servers/redis-server.js';
import { MASTER_NAME, startSentinels } from '../packages/redis/test/servers/sentinel.js';
import { Fleet, strangeIn } from './faults/fleet.js';
import type { ProofBackend } from './proof/backends.js';
import { HOUR_MS, Stage, until } from './proof/harness/stage.js';

async function opened() {
  const group = await startSentinels();
  onTestFinished(() => group.stop());
  const open = () => new RedisTokenBackend({ clientOptions: { sentinels: group.sentinels, name: MASTER_NAME } });
  const store: ProofBackend = {
    name: 'redis-sentinel',
    title: 'Redis Sentinel',
    processes: false,
    folder: false,
    saveSteps: [],
    prepare: async () => ({ location: MASTER_NAME, destroy: async () => undefined }),
    open,
  };
  const stage = await Stage.open(store, { refreshTokens: 'one-time-revoking' });
  onTestFinished(() => stage[Symbol.asyncDispose]());
  const backend = open();
  onTestFinished(() => backend.close());
  return { group, stage, backend, fleet: new Fleet(stage, [backend]) };
}

/** Past every cache; `undefined` while nobody serves. */
const stored = (stage: Stage, user: string) =>
  stage.stored(user, user).catch((error: unknown) => {
    if (!BackendUnavailableError.is(error)) throw error;
  });

/** The program's newest save is on the primary alone when that dies, and missing on the one that serves then. */
async function loseSaveOf(user: string, { group, stage, fleet }: Awaited<ReturnType<typeof opened>>) {
  await stage.signIn(user, user);
  await fleet.ask(user);
  const primary = await group.primary();
  await eventually('the replicas have the record', async () => (await primary.cli('wait', '2', '1000')) === '2' || undefined);
  const replicas = group.servers.filter((server) => server !== primary);
  // Stopped, they cannot connect again: what is saved from now on is on the primary alone.
  for (const replica of replicas) replica.signal('SIGSTOP');
  expect(await primary.cli('client', 'kill', 'type', 'replica')).toBe('2');
  fleet.advance(2 * HOUR_MS);
  expect(await fleet.askUntilServed(user)).toEqual({ strange: [], tokens: 1 });
  const lost = stage.newestIssued().get(user);
  expect(await stored(stage, user)).toBe(lost);
  await primary.kill();
  for (const replica of replicas) replica.signal('SIGCONT');
  await group.failOver();
  expect(await eventually('the new primary serves', () => stored(stage, user))).not.toBe(lost);
  return lost;
}

describe.skipIf(!redisAvailable)('a fail-over of Redis Sentinel, without waitReplicas', () => {
  test('a save that died with the primary is made again by the process that made it', { timeout: 120_000 }, async () => {
    const parts = await opened();
    const { stage, fleet } = parts;
    const user = 'ada@contoso.example';
    await loseSaveOf(user, parts);
    fleet.advance(2 * HOUR_MS);
    expect(await fleet.askUntilServed(user)).toEqual({ strange: [], tokens: 1 });
    await until('the newest token is saved', async () => (await stored(stage, user)) === stage.newestIssued().get(user));
    expect(stage.refreshCalls()).toHaveLength(2);
    await fleet.close();
  });

  test('it is made again once the new primary is asked for anything', { timeout: 120_000 }, async () => {
    const parts = await opened();
    const { stage, backend, fleet } = parts;
    const user = 'ada@contoso.example';
    const lost = await loseSaveOf(user, parts);
    await eventually('the program is answered', () => backend.checkToken({ tokenKey: 'another' }).catch(() => undefined));
    await until('the lost token is saved again', async () => (await stored(stage, user)) === lost);
    expect(stage.refreshCalls()).toHaveLength(1);
    await fleet.close();
  });

  test('during a refresh storm: no token is lost, nobody is told to sign in', { timeout: 180_000 }, async () => {
    const { group, stage, fleet } = await opened();
    const users = Array.from({ length: 10 }, (_, index) => `user${index}@contoso.example`);
    for (const user of users) await stage.signIn(user, user);
    let failedOver = false;
    const strange: string[] = [];
    let [rounds, refused] = [0, 0];
    const storm = async () => {
      for (let last = false; !last; rounds++) {
        last = failedOver;
        fleet.advance(2 * HOUR_MS);
        const answers = (await Promise.all(users.map((user) => fleet.ask(user)))).flat();
        strange.push(...strangeIn(answers));
        refused += answers.filter(({ status }) => status === 'rejected').length;
      }
    };
    const storming = storm();
    await until('the storm rages', () => rounds >= 2);
    await group.failOver().finally(() => {
      failedOver = true;
    });
    await storming;
    // What died with the primary is made good when the process needs it next.
    fleet.advance(2 * HOUR_MS);
    for (const user of users) {
      expect(await fleet.askUntilServed(user)).toEqual({ strange: [], tokens: 1 });
      await until(`${user} is saved`, async () => (await stored(stage, user)) === stage.newestIssued().get(user));
    }
    expect(strange).toEqual([]);
    expect(refused).toBeGreaterThan(0);
    await fleet.close();
  });
});
