/**
 * Packets vanish: connections are made, but nothing comes back and nothing is closed, as behind a firewall that forgot its
 * connections. Nobody is told that the store is gone.
 */
import { BackendUnavailableError, type BaseTokenBackend } from '@tokenry/core';
import { afterAll, describe, expect, test } from 'vitest';
import { collect } from '../packages/redis/test/outcome.js';
import { behindProxy } from './faults/behind-proxy.js';
import { Fleet, strangeIn, tokensIn } from './faults/fleet.js';
import { endServers, faultyStores } from './faults/stores.js';
import { HOUR_MS, until } from './proof/harness/stage.js';

const USER = 'ada@contoso.example';

afterAll(endServers);

/** What the record holds; `undefined` while the store cannot be reached. */
async function textIn({ records }: BaseTokenBackend): Promise<string | undefined> {
  const found = await records.read('kept').catch((error: unknown) => {
    if (!BackendUnavailableError.is(error)) throw error;
    return 'away' as const;
  });
  if (found === undefined || found === 'not-modified') throw new Error('the record is absent');
  return found === 'away' ? undefined : Buffer.from(found.data).toString();
}

for (const store of faultyStores)
  describe.skipIf(!store.here)(`${store.name} falls silent`, () => {
    test('every operation ends by itself as unavailable, and finds everything as it was afterwards', {
      timeout: 180_000,
    }, async () => {
      const { proxy, open } = await behindProxy(store);
      const [before, after] = [open.backend(), open.backend()];
      const version = await open.direct.records.write('kept', Buffer.from('1'), { expect: 'absent' });
      await open.direct.records.write('never removed', Buffer.from('1'), { expect: 'absent' });
      const lease = { owner: 'ada', ttlMs: 180_000 };
      if (store.ownLeases) expect(await open.direct.leases.tryAcquire('job', lease)).toEqual({ acquired: true });
      await until('it is connected', async () => (await textIn(before)) === '1');
      proxy.mute();
      const operations: Record<string, (backend: BaseTokenBackend) => Promise<unknown>> = {
        read: ({ records }) => records.read('kept'),
        'compare and save': ({ records }) => records.write('kept', Buffer.from('2'), { expect: { version } }),
        create: ({ records }) => records.write('new', Buffer.from('2'), { expect: 'absent' }),
        remove: ({ records }) => records.remove('never removed', { expect: 'anything' }),
        list: ({ records }) => collect(records.list()),
        ...(store.ownLeases && {
          'take a lease': ({ leases }) => leases.tryAcquire('other', lease),
          'renew a lease': ({ leases }) => leases.renew('job', lease),
          'give a lease back': ({ leases }) => leases.release('job', lease),
        }),
      };
      // `before` has a connection that fell silent; `after` makes its own into the silence.
      const outcomes = [before, after].flatMap((backend) =>
        Object.entries(operations).map(async ([name, operation]) => {
          const outcome = await operation(backend).catch((error: unknown) => error);
          return BackendUnavailableError.is(outcome) ? [] : [name, outcome];
        }),
      );
      expect((await Promise.all(outcomes)).flat()).toEqual([]);
      proxy.unmute();
      for (const backend of [before, after]) await until('the record is read again', async () => (await textIn(backend)) === '1');
      expect(await open.direct.records.read('kept', { ifNotVersion: version })).toBe('not-modified');
      expect((await collect(open.direct.records.list())).sort()).toEqual(['kept', 'never removed']);
      if (store.ownLeases)
        expect(await open.direct.leases.tryAcquire('job', { ...lease, owner: 'bob' })).toMatchObject({ acquired: false });
    });

    test('during a refresh: the new token serves, is asked for once, and is saved afterwards', { timeout: 180_000 }, async () => {
      const { stage, proxy, open } = await behindProxy(store);
      await stage.signIn(USER, USER);
      // A lease that outlives the silence; who wants it meanwhile gives up soon.
      const fleet = new Fleet(stage, [open.backend(), open.backend()], { lease: { ttlMs: 120_000, waitMs: 2_000 } });
      await fleet.ask(USER);
      fleet.advance(2 * HOUR_MS);
      stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 500, times: 1 });
      const asking = fleet.ask(USER, 0);
      await until('the token call', () => stage.refreshCalls().length > 0);
      proxy.mute();
      const [first, elsewhere] = await Promise.all([asking, fleet.ask(USER, 1)]);
      const newest = stage.newestIssued().get(USER);
      expect(await stage.stored(USER, USER)).not.toBe(newest);
      const again = await fleet.ask(USER, 0);
      const served = tokensIn([...first, ...again]);
      expect([served.length, new Set(served).size]).toEqual([first.length + again.length, 1]);
      expect([tokensIn(elsewhere), strangeIn(elsewhere)]).toEqual([[], []]);
      proxy.unmute();
      await until('the token is saved', async () => (await stage.stored(USER, USER)) === newest, 60_000);
      expect(await fleet.askUntilServed(USER)).toEqual({ strange: [], tokens: 1 });
      expect(tokensIn(await fleet.ask(USER, 1))).toContain(served[0]);
      expect(stage.refreshCalls()).toHaveLength(1);
      await fleet.close();
    });
  });
