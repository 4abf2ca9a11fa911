import assert from 'node:assert/strict';
import type { TokenBackend } from '@tokenry/core/backend';
import { bytes } from '../bytes.js';
import { everyOperation } from '../every-operation.js';
import { group, needs } from '../group.js';
import { readText, writeText } from '../record-text.js';
import { rejection } from '../rejections.js';
import { unreachability } from '../requirement.js';
import { accountsIn, signedIn, signIn } from '../sample-tokens.js';

const REASON = new Error('conformance: the caller lost interest');
const ROUNDS = 12;

export const cancellation = group('cancellation', {
  'an aborted signal ends every operation with its reason': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    for (const [name, operation] of everyOperation(backend, 'user-1', AbortSignal.abort(REASON)))
      assert.equal(await rejection(`${name} with an aborted signal`, operation), REASON, `${name} rejected with something else`);
  },

  'an operation that was aborted beforehand changes nothing': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    const operations = everyOperation(backend, 'user-1', AbortSignal.abort(REASON));
    await Promise.allSettled(operations.map(([, operation]) => operation()));
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'user-1', fresh: true })), ['ada']);
  },

  'an aborted request takes no lease': async (scene) => {
    const [ada, bob] = await scene.pair('leases');
    const aborted = { owner: 'ada', ttlMs: 60_000, signal: AbortSignal.abort(REASON) };
    assert.equal(await rejection('tryAcquire', async () => ada.leases.tryAcquire('job', aborted)), REASON);
    assert.deepEqual(await bob.leases.tryAcquire('job', { owner: 'bob', ttlMs: 60_000 }), { acquired: true });
  },

  'a write that is aborted under way writes all or nothing': async (scene) => {
    const backend = await scene.open();
    const [before, after] = ['a', 'b'].map((letter) => JSON.stringify({ filler: letter.repeat(3_000) })) as [string, string];
    for (let round = 0; round < ROUNDS; round++) {
      await writeText(backend, 'ada', before);
      const outcome = await abortedAfter(round, (signal) =>
        backend.records.write('ada', bytes(after), { expect: 'anything', signal }),
      );
      const now = await readText(backend, 'ada');
      assert.ok(now === before || now === after, 'the record is neither what was there nor what was written');
      if (outcome === 'done') assert.equal(now, after, 'a write that reported success was not made');
    }
  },

  'an update that is aborted under way adds all or nothing': async (scene) => {
    const backend = await scene.open();
    for (let round = 0; round < ROUNDS; round++) {
      const tokenKey = `user-${round}`;
      await backend.saveToken(signedIn('ada'), { tokenKey });
      const outcome = await abortedAfter(round, (signal) =>
        backend.updateToken((cache) => signIn(cache, 'bob'), { tokenKey, signal }),
      );
      const accounts = accountsIn(await backend.loadToken({ tokenKey, fresh: true }));
      assert.ok(accounts.includes('ada'), 'an aborted update lost an account');
      if (outcome === 'done') assert.deepEqual(accounts, ['ada', 'bob']);
    }
  },

  'a read that is aborted under way answers the truth or the reason': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}');
    for (let round = 0; round < ROUNDS; round++) await abortedAfter(round, (signal) => trueRead(backend, signal));
  },

  'aborting one caller does not disturb another': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    for (let round = 0; round < ROUNDS; round++) {
      const [updated, loaded] = await Promise.all([
        backend.updateToken((cache) => signIn(cache, `p${round}`), { tokenKey: 'user-1' }),
        backend.loadToken({ tokenKey: 'user-1' }),
        abortedAfter(round, (signal) => backend.loadToken({ tokenKey: 'user-1', signal })),
        abortedAfter(round, (signal) => backend.checkToken({ tokenKey: 'user-1', signal })),
      ]);
      assert.ok(accountsIn(updated).includes(`p${round}`));
      assert.ok(accountsIn(loaded).includes('ada'));
    }
  },

  'a caller need not wait for an outage to end': needs([unreachability], async (scene) => {
    const backend = await scene.open();
    const controller = new AbortController();
    await scene.during('unreachable', async () => {
      const operations = everyOperation(backend, 'never-read', controller.signal).map(([name, operation]) =>
        rejection(name, operation),
      );
      controller.abort(REASON);
      // Either the outage was noticed first or the caller left first; that nothing hangs is what this shows.
      await Promise.all(operations);
    });
  }),
});

/** Starts `operation` and aborts it after so many turns of the event loop. Anything but success or the reason fails. */
async function abortedAfter(turns: number, operation: (signal: AbortSignal) => Promise<unknown>): Promise<'done' | 'aborted'> {
  const controller = new AbortController();
  const settled = Promise.allSettled([operation(controller.signal)]);
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  controller.abort(REASON);
  const [outcome] = await settled;
  if (outcome.status === 'fulfilled') return 'done';
  if (outcome.reason !== REASON) throw outcome.reason;
  return 'aborted';
}

async function trueRead(backend: TokenBackend, signal: AbortSignal): Promise<void> {
  const found = await backend.records.read('ada', { signal });
  assert.ok(found !== undefined && found !== 'not-modified', 'an aborted read answered absence');
  assert.equal(Buffer.from(found.data).toString(), '{"a":1}');
}
