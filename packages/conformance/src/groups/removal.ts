import assert from 'node:assert/strict';
import { type TokenBackend, VersionConflictError } from '@tokenry/core/backend';
import { group } from '../group.js';
import { readText, writeText } from '../record-text.js';
import { rejectsWith } from '../rejections.js';
import { accountsIn, homeAccountIdOf, signedIn } from '../sample-tokens.js';

const REMOVERS = 4;

export const removal = group('removal', {
  'a removed record is absent': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{}');
    assert.equal(await readText(backend, 'ada'), '{}');
    await backend.records.remove('ada', { expect: 'anything' });
    assert.equal(await backend.records.read('ada'), undefined);
  },

  'removing answers whether a record was there': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{}');
    assert.equal(await backend.records.remove('ada', { expect: 'anything' }), true);
    assert.equal(await backend.records.remove('ada', { expect: 'anything' }), false);
  },

  'removing one record leaves the others': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}');
    await writeText(backend, 'ada2', '{"a":2}');
    await backend.records.remove('ada', { expect: 'anything' });
    assert.equal(await readText(backend, 'ada2'), '{"a":2}');
  },

  'a removal that expects the current version removes': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'ada', '{}');
    assert.equal(await backend.records.remove('ada', { expect: { version } }), true);
    assert.equal(await backend.records.read('ada'), undefined);
  },

  'a removal that expects an old version is refused and removes nothing': async (scene) => {
    const backend = await scene.open();
    const old = await writeText(backend, 'ada', '{"a":1}');
    await writeText(backend, 'ada', '{"a":2}');
    await rejectsWith(VersionConflictError, 'the removal', () => backend.records.remove('ada', { expect: { version: old } }));
    assert.equal(await readText(backend, 'ada'), '{"a":2}');
  },

  'a removal that expects a version of an absent record removes nothing': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'other', '{}');
    assert.equal(await backend.records.remove('ada', { expect: { version } }), false);
    assert.equal(await readText(backend, 'other'), '{}');
  },

  'of many simultaneous removals of one version exactly one removes, and nobody meets a conflict': async (scene) => {
    const peers = await scene.peers(REMOVERS, 'conditionalWrites');
    const version = await writeText(peers[0] as TokenBackend, 'ada', '{}');
    const answers = await Promise.all(peers.map((peer) => peer.records.remove('ada', { expect: { version } })));
    assert.deepEqual(answers.filter(Boolean), [true]);
    assert.equal(await peers[0]?.records.read('ada'), undefined);
  },

  'a late conditional write does not bring a removed record back': async (scene) => {
    const [early, late] = await scene.pair('conditionalWrites');
    const version = await writeText(early, 'ada', '{"a":1}');
    await early.records.remove('ada', { expect: 'anything' });
    await rejectsWith(VersionConflictError, 'the late write', () => writeText(late, 'ada', '{"a":2}', { version }));
    assert.equal(await late.records.read('ada'), undefined);
  },

  'a removed record can be created again': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}');
    await backend.records.remove('ada', { expect: 'anything' });
    await writeText(backend, 'ada', '{"a":2}', 'absent');
    assert.equal(await readText(backend, 'ada'), '{"a":2}');
  },

  'a deleted token loads as undefined and no longer checks': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    assert.equal(await backend.deleteToken({ tokenKey: 'user-1' }), true);
    assert.equal(await backend.loadToken({ tokenKey: 'user-1' }), undefined);
    assert.equal(await backend.loadToken({ tokenKey: 'user-1', fresh: true }), undefined);
    assert.equal(await backend.checkToken({ tokenKey: 'user-1' }), false);
    assert.equal(await backend.deleteToken({ tokenKey: 'user-1' }), false);
  },

  'removing the last account leaves an empty record': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    await backend.updateToken((cache) => cache.removeAccount({ homeAccountId: homeAccountIdOf('ada') }), { tokenKey: 'user-1' });
    const loaded = await backend.loadToken({ tokenKey: 'user-1', fresh: true });
    assert.equal(loaded?.hasData, false);
    assert.notEqual(await backend.records.read('user-1'), undefined);
  },

  'a late save of a cache loaded before the deletion does not bring its accounts back': async (scene) => {
    const [early, late] = await scene.pair('conditionalWrites');
    await early.saveToken(signedIn('ada', 'bob'), { tokenKey: 'team' });
    const loaded = await late.loadToken({ tokenKey: 'team', fresh: true });
    assert.ok(loaded);
    await early.deleteToken({ tokenKey: 'team' });
    loaded.removeAccount({ homeAccountId: homeAccountIdOf('bob') });
    await late.saveToken(loaded, { tokenKey: 'team' });
    assert.deepEqual(accountsIn(await late.loadToken({ tokenKey: 'team', fresh: true })), []);
  },

  'a cache that was never loaded removes nobody when saved': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'team' });
    await backend.saveToken(signedIn('bob'), { tokenKey: 'team' });
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'team', fresh: true })), ['ada', 'bob']);
  },
});
