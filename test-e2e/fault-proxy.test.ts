/** The network between a program and its store breaks, at every step of a save and of a refresh in turn. */
import { BackendUnavailableError, type BaseTokenBackend, type Expectation, VersionConflictError } from '@tokenry/core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { redisAvailable } from '../packages/redis/test/servers/availability.js';
import { RedisServer } from '../packages/redis/test/servers/redis-server.js';
import { behindProxy, type Opened } from './faults/behind-proxy.js';
import { Fleet } from './faults/fleet.js';
import { endServers, faultyStores } from './faults/stores.js';
import { type Fault, TcpFaultProxy } from './faults/tcp-fault-proxy.js';
import { appendBlindly, appendCarelessly } from './faults/wrong-writers.js';
import { HOUR_MS, type Stage, until } from './proof/harness/stage.js';

const FAULTS: readonly Fault[] = ['reset', 'lose-answer', 'truncate-answer', 'half-open'];
const SHORT = process.env.FAULTS !== 'all';
const NODES = 2;

afterAll(endServers);

for (const store of faultyStores)
  describe.skipIf(!store.here)(`${store.name} behind a broken network`, () => {
    // All positions on Redis; on the slower emulators the first few, and all of them with FAULTS=all.
    const most = store.name === 'redis' || !SHORT ? 12 : 3;

    test('no update is lost or made twice, and every failure has a type', { timeout: 300_000 }, async () => {
      const { open } = await behindProxy(store);
      for (const fault of FAULTS) await appendUnder(fault, most, open);
    });

    for (const fault of FAULTS)
      test(`${fault}: one refresh per expiry, wherever it strikes`, { timeout: 300_000 }, async () => {
        const { stage, proxy, open } = await behindProxy(store);
        const users = Array.from({ length: most }, (_, index) => `user${index}@contoso.example`);
        for (const username of users) await stage.signIn(username, username);
        const fleet = new Fleet(stage, Array.from({ length: NODES }, open.backend));
        for (const username of users) await fleet.ask(username);
        fleet.advance(2 * HOUR_MS);
        let struck = 0;
        for (const [index, username] of users.entries()) {
          proxy.arm(fault, index + 1);
          const found = await fleet.askUntilServed(username);
          const hit = proxy.disarm();
          expect({ username, ...found, calls: callsOf(stage, username) }).toEqual({ username, strange: [], tokens: 1, calls: 1 });
          await until(`${username} is saved`, async () => {
            return (await stage.stored(username, username)) === stage.newestIssued().get(username);
          });
          if (hit) struck += 1;
        }
        expect(struck).toBeGreaterThanOrEqual(Math.min(most, 3));
        await fleet.close();
      });

    test('latency: one refresh per expiry for everybody, without an error', { timeout: 120_000 }, async () => {
      const { stage, proxy, open } = await behindProxy(store);
      await stage.signIn('ada@contoso.example', 'ada');
      const fleet = new Fleet(stage, Array.from({ length: NODES }, open.backend));
      await fleet.ask('ada');
      fleet.advance(2 * HOUR_MS);
      proxy.latencyMs = 150;
      const answers = await fleet.ask('ada');
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 'fulfilled'));
      expect(stage.refreshCalls()).toHaveLength(1);
      await fleet.close();
    });
  });

describe.skipIf(!redisAvailable)('programs that do it wrong are found out', () => {
  test.each([
    ['repeats an append after a lost answer without a look', appendBlindly, 'lose-answer', /twice$/],
    ['takes silence for success', appendCarelessly, 'reset', /lost$/],
  ] as const)('one that %s', { timeout: 60_000 }, async (_what, appendWrongly, fault, complaint) => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    const proxy = await TcpFaultProxy.before(server.port);
    onTestFinished(() => proxy.close());
    const writers: Append[] = [(key, entry) => appendWrongly(proxy.port, key, entry)];
    const { struck, confirmed } = await strike(fault, 6, { proxy, writers, key: 'list' });
    expect(struck).toBeGreaterThan(0);
    const stored: string[] = JSON.parse(await server.cli('get', 'list'));
    expect(wrongIn(stored, confirmed)).toContainEqual(expect.stringMatching(complaint));
  });
});

/** Appends an entry to the list in a record, and says whether it is there. */
type Append = (key: string, entry: string) => Promise<boolean>;

/** Two writers append to one record while the fault strikes at the first, second, … request or answer. */
async function appendUnder(fault: Fault, most: number, { proxy, backend, direct }: Opened): Promise<void> {
  const writers = [backend(), backend()].map(
    (writer): Append =>
      (key, entry) =>
        append(writer, key, entry),
  );
  const key = `list-${fault}`;
  const { struck, confirmed } = await strike(fault, most, { proxy, writers, key });
  expect(struck, fault).toBeGreaterThanOrEqual(Math.min(most, 3));
  const { list: stored } = await listIn(direct as BaseTokenBackend, key);
  expect(wrongIn(stored, confirmed)).toEqual([]);
  expect(confirmed).toHaveLength(2 * most);
}

async function strike(
  fault: Fault,
  most: number,
  { proxy, writers, key }: { readonly proxy: TcpFaultProxy; readonly writers: readonly Append[]; readonly key: string },
) {
  const confirmed: string[] = [];
  let struck = 0;
  for (let nth = 1; nth <= most; nth++) {
    proxy.arm(fault, nth);
    await Promise.all(
      writers.map(async (write, index) => {
        const entry = `${nth}-${index}`;
        if (await write(key, entry)) confirmed.push(entry);
      }),
    );
    if (proxy.disarm()) struck += 1;
  }
  return { struck, confirmed };
}

/** Entries that are stored twice, and those that were confirmed and are not stored. */
function wrongIn(stored: readonly string[], confirmed: readonly string[]): string[] {
  const twice = stored.filter((entry, at) => stored.indexOf(entry) !== at).map((entry) => `${entry} twice`);
  return [...twice, ...confirmed.filter((entry) => !stored.includes(entry)).map((entry) => `${entry} lost`)];
}

/** Appends by compare-and-swap until the entry is there; true when a write, or a look at the record, said so. */
async function append(writer: BaseTokenBackend, key: string, entry: string): Promise<boolean> {
  for (let attempt = 1; attempt <= 60; attempt++)
    try {
      const { list, expect } = await listIn(writer, key);
      if (list.includes(entry)) return true;
      await writer.records.write(key, Buffer.from(JSON.stringify([...list, entry])), { expect });
      return true;
    } catch (error) {
      if (!VersionConflictError.is(error) && !BackendUnavailableError.is(error)) throw error;
    }
  return false;
}

async function listIn(backend: BaseTokenBackend, key: string): Promise<{ list: string[]; expect: Expectation }> {
  const record = await backend.records.read(key);
  if (record === undefined || record === 'not-modified') return { list: [], expect: 'absent' };
  return { list: JSON.parse(Buffer.from(record.data).toString()), expect: { version: record.version } };
}

const callsOf = (stage: Stage, name: string) => stage.refreshCalls().filter(({ username }) => username === name).length;
