import assert from 'node:assert/strict';
import { CapabilityError } from '@tokenry/core/backend';
import { group, needs } from '../group.js';
import { bothListings, listed } from '../listed.js';
import { writeText } from '../record-text.js';
import { rejectsWith } from '../rejections.js';
import { listing as listsRecords, noListing, sharing } from '../requirement.js';
import { signIn } from '../sample-tokens.js';

const MANY = 300;

export const listing = group('listing', {
  'an empty store lists nothing': needs([listsRecords], async (scene) => {
    assert.deepEqual(await bothListings(await scene.open()), { records: [], tokens: [] });
  }),

  'the keys of all records are listed exactly as they were given': needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    const keys = ['ada', 'Ada', 'ada@contoso.example', 'tenant/ada', 'é', '日本', '=41', '%41', 'x'.repeat(256)].sort();
    for (const key of keys) await writeText(backend, key, '{}');
    assert.deepEqual(await bothListings(backend), { records: keys, tokens: keys });
  }),

  'the default key is listed as the key it is': needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    await writeText(backend, backend.defaultTokenKey, '{}');
    assert.deepEqual(await listed(backend.listKeys()), [backend.defaultTokenKey]);
  }),

  'a removed record is no longer listed': needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    for (const key of ['ada', 'bob', 'y'.repeat(256)]) await writeText(backend, key, '{}');
    for (const key of ['ada', 'y'.repeat(256)]) await backend.records.remove(key, { expect: 'anything' });
    assert.deepEqual(await bothListings(backend), { records: ['bob'], tokens: ['bob'] });
  }),

  'leases are not listed': needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{}');
    const request = { owner: 'conformance', ttlMs: 60_000 };
    assert.equal((await backend.leases.tryAcquire('held', request)).acquired, true);
    await backend.leases.tryAcquire('released', request);
    await backend.leases.release('released', request);
    assert.deepEqual(await bothListings(backend), { records: ['ada'], tokens: ['ada'] });
  }),

  'copies of corrupt records are not listed': needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', 'no token cache');
    await backend.updateToken((cache) => signIn(cache, 'ada'), { tokenKey: 'ada', overwriteCorrupt: true });
    assert.deepEqual(await bothListings(backend), { records: ['ada'], tokens: ['ada'] });
  }),

  [`${MANY} records are listed completely, each once`]: needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    const keys = Array.from({ length: MANY }, (_, n) => `user-${String(n).padStart(4, '0')}`);
    for (let from = 0; from < MANY; from += 20)
      await Promise.all(keys.slice(from, from + 20).map((key) => writeText(backend, key, '{}')));
    assert.deepEqual(await listed(backend.listKeys()), keys);
  }),

  'a listing that is left early ends there': needs([listsRecords], async (scene) => {
    const backend = await scene.open();
    for (const key of ['ada', 'bob', 'eve']) await writeText(backend, key, '{}');
    for await (const key of backend.listKeys()) {
      assert.ok(['ada', 'bob', 'eve'].includes(key));
      break;
    }
    assert.deepEqual(await listed(backend.listKeys()), ['ada', 'bob', 'eve']);
  }),

  'a key prefix keeps the records of two programs in one store apart': needs([listsRecords, sharing], async (scene) => {
    const [one, two] = await Promise.all(['one-', 'two-'].map((keyPrefix) => scene.open({ keyPrefix })));
    assert.ok(one && two);
    await writeText(one, 'ada', '{}');
    await writeText(two, 'bob', '{}');
    assert.equal(await two.records.read('ada'), undefined);
    assert.deepEqual(await bothListings(one), { records: ['ada'], tokens: ['ada'] });
    assert.deepEqual(await bothListings(two), { records: ['bob'], tokens: ['bob'] });
  }),

  'a store that cannot list says so with a CapabilityError': needs([noListing], async (scene) => {
    const backend = await scene.open();
    await rejectsWith(CapabilityError, 'listKeys', async () => listed(backend.listKeys()));
    await rejectsWith(CapabilityError, 'records.list', async () => listed(backend.records.list()));
  }),
});
