import assert from 'node:assert/strict';
import { VersionConflictError } from '@tokenry/core/backend';
import { bytes } from '../bytes.js';
import { group } from '../group.js';
import { readText, readVersioned, writeText } from '../record-text.js';
import { rejectsWith } from '../rejections.js';
import { accountsIn, refreshTokenIn, refreshTokenOf, signedIn } from '../sample-tokens.js';

/** JSON that a store can spoil: spaces, escapes, several scripts, decomposed and composed letters, a final newline. */
const AWKWARD_JSON = '{ "a":"\\u0000\\n\\"", "b" : "é e\u0301 日本 😀 \u202e", "c":[ 1.0, 1e3, null ] }\r\n\n';

export const records = group('records', {
  'an absent record reads as undefined': async (scene) => {
    const backend = await scene.open();
    assert.equal(await backend.records.read('nobody'), undefined);
    assert.equal(await backend.loadToken({ tokenKey: 'nobody' }), undefined);
    assert.equal(await backend.checkToken({ tokenKey: 'nobody' }), false);
  },

  'a record reads back byte for byte': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', AWKWARD_JSON);
    assert.equal(await readText(backend, 'ada'), AWKWARD_JSON);
  },

  'a write replaces the whole record': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', JSON.stringify({ long: 'x'.repeat(2_000) }));
    await writeText(backend, 'ada', '{"short":true}');
    assert.equal(await readText(backend, 'ada'), '{"short":true}');
  },

  'the caller may reuse its buffer after a write': async (scene) => {
    const backend = await scene.open();
    const buffer = bytes('{"a":1}');
    await backend.records.write('ada', buffer, { expect: 'anything' });
    buffer.fill(0);
    assert.equal(await readText(backend, 'ada'), '{"a":1}');
  },

  'what a read returned is a private copy': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}');
    const found = await backend.records.read('ada');
    assert.ok(found !== undefined && found !== 'not-modified');
    found.data.fill(0);
    assert.equal(await readText(backend, 'ada'), '{"a":1}');
  },

  'a write resolves to the version that the next read reports': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'ada', '{"a":1}');
    assert.equal((await readVersioned(backend, 'ada'))?.version, version);
    assert.equal((await readVersioned(backend, 'ada'))?.version, version, 'the version changed although nothing was written');
  },

  'the version changes whenever the bytes change': async (scene) => {
    const backend = await scene.open();
    const versions: string[] = [];
    // The same length, and within one tick of a coarse clock: neither size nor time tells these apart.
    for (const digit of '0123456789') versions.push(await writeText(backend, 'ada', `{"a":${digit}}`));
    assert.equal(new Set(versions).size, 10, `ten different contents had these versions: ${versions.join(' ')}`);
  },

  'a read that names the current version answers not-modified': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'ada', '{"a":1}');
    assert.equal(await backend.records.read('ada', { ifNotVersion: version }), 'not-modified');
  },

  'a read that names an old version answers the record': async (scene) => {
    const backend = await scene.open();
    const old = await writeText(backend, 'ada', '{"a":1}');
    const version = await writeText(backend, 'ada', '{"a":2}');
    const found = await backend.records.read('ada', { ifNotVersion: old });
    assert.notEqual(found, 'not-modified');
    assert.ok(found !== undefined && found !== 'not-modified', 'the record is missing');
    assert.deepEqual({ content: Buffer.from(found.data).toString(), version: found.version }, { content: '{"a":2}', version });
  },

  'a read that names a version of a record since removed answers undefined': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'ada', '{"a":1}');
    await backend.records.remove('ada', { expect: 'anything' });
    assert.equal(await backend.records.read('ada', { ifNotVersion: version }), undefined);
  },

  'a write that expects anything creates and replaces': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}', 'anything');
    await writeText(backend, 'ada', '{"a":2}', 'anything');
    assert.equal(await readText(backend, 'ada'), '{"a":2}');
  },

  'a write that expects absence creates': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}', 'absent');
    assert.equal(await readText(backend, 'ada'), '{"a":1}');
  },

  'a write that expects absence is refused over a record and writes nothing': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{"a":1}');
    await rejectsWith(VersionConflictError, 'the write', () => writeText(backend, 'ada', '{"a":2}', 'absent'));
    assert.equal(await readText(backend, 'ada'), '{"a":1}');
  },

  'a write that expects the current version replaces': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'ada', '{"a":1}');
    await writeText(backend, 'ada', '{"a":2}', { version });
    assert.equal(await readText(backend, 'ada'), '{"a":2}');
  },

  'a write that expects an old version is refused and writes nothing': async (scene) => {
    const backend = await scene.open();
    const old = await writeText(backend, 'ada', '{"a":1}');
    const version = await writeText(backend, 'ada', '{"a":2}');
    await rejectsWith(VersionConflictError, 'the write', () => writeText(backend, 'ada', '{"a":3}', { version: old }));
    assert.deepEqual(await readVersioned(backend, 'ada'), { content: '{"a":2}', version });
  },

  'a write that expects a version of an absent record is refused and writes nothing': async (scene) => {
    const backend = await scene.open();
    const version = await writeText(backend, 'other', '{"a":1}');
    await rejectsWith(VersionConflictError, 'the write', () => writeText(backend, 'ada', '{"a":1}', { version }));
    assert.equal(await readText(backend, 'ada'), undefined);
  },

  'a token cache saved under a key loads again': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    const loaded = await backend.loadToken({ tokenKey: 'user-1', fresh: true });
    assert.deepEqual(accountsIn(loaded), ['ada']);
    assert.equal(refreshTokenIn(loaded, 'ada'), refreshTokenOf('ada'));
    assert.equal(await backend.checkToken({ tokenKey: 'user-1' }), true);
  },
});
