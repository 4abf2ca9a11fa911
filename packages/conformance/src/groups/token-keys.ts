import assert from 'node:assert/strict';
import { type TokenBackend, VersionConflictError } from '@tokenry/core/backend';
import { group } from '../group.js';
import { bothListings } from '../listed.js';
import { readText, writeText } from '../record-text.js';
import { rejectsArgument } from '../rejections.js';
import { accountsIn, signedIn } from '../sample-tokens.js';
import type { Scene } from '../scene.js';

/** Each test keeps a record under every one of its keys at the same time: no two may meet, none may get lost. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'keys of any script are kept apart': ['ada', 'дана', 'ادا', '日本', 'ß', 'ss', 'ı', 'i', 'İ', 'ſ', 's', 'ﬁ', 'fi'],
  'emoji and their parts are kept apart': ['😀', '👩', '👩‍💻', '👩🏽‍💻', '🇩🇪', '🇩', '☺', '☺️'],
  'composed and decomposed forms are different records': [
    'é',
    'e\u0301',
    'Å',
    'A\u030a',
    '\u212b',
    'ﬀ',
    'ff',
    '가',
    '\u1100\u1161',
  ],
  'keys that differ only in case are different records': ['ada', 'Ada', 'ADA', 'É', 'é', 'Σ', 'σ', 'ς', 'K', 'k', '\u212a'],
  'slashes neither escape nor collide': [
    'a/b',
    'a\\b',
    'a//b',
    'a_b',
    'a-b',
    'a.b',
    'ab',
    'a',
    '/',
    '//',
    '\\',
    '/etc/passwd',
    'a/',
    '/a',
    'C:\\a',
    'c:a',
  ],
  'dots and parent folders are names like any other': [
    '.',
    '..',
    '...',
    '../a',
    '..\\a',
    'a/../b',
    './a',
    'a/.',
    'a/..',
    '../../../../srv/a',
    '..%2fa',
    '.hidden',
    '.git',
    '~',
    '~/a',
  ],
  'trailing dots and spaces are part of the key': ['a', 'a.', 'a..', 'a ', 'a  ', ' a', ' ', '  ', 'a\u00a0', 'a\u3000'],
  'control characters are part of the key': [
    '\0',
    'a\0',
    'a\0b',
    'a',
    '\n',
    'a\n',
    '\r\n',
    '\t',
    '\u007f',
    '\u202eada',
    '\u200bada',
    '\ufeffada',
    'ada',
  ],
  'device names are names like any other': [
    'CON',
    'con',
    'con.json',
    'nul',
    'NUL',
    'nul.',
    'aux',
    'prn',
    'com1',
    'COM1',
    'lpt9',
    'com¹',
    'conin$',
  ],
  'names that programs treat specially are names like any other': [
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    'undefined',
    'null',
    'NaN',
    'true',
    '*',
    '?',
    '[a]',
    '{a}',
    '$(a)',
    '`a`',
    '-rf',
    '--',
    '#',
    ':',
    '{a}:b',
    'a:b',
    '|',
    '<a>',
    '"',
    "'",
    ';',
    '&',
    '__a__',
  ],
  'look-alikes of locks, leases and temporary files are names like any other': [
    '=lease-ada',
    '=key-ada',
    '=lock-ada',
    '=tmp-ada',
    '=corrupt-ada',
    `=lease-${'a'.repeat(64)}`,
    'o365_token.txt',
    'o365_token.txt.lock',
    'o365_token.txt.tmp',
    '.o365_token.txt.lock',
    'ada.lock',
    'ada.tmp',
    'ada~',
    'ada.bak',
    'ada',
    'lease',
    'lock',
  ],
  'a key equal to the encoded form of another is another record': [
    'A',
    '=41',
    '%41',
    '==41',
    '=3d41',
    '%3D41',
    '%253D41',
    'a/b',
    'a%2fb',
    'a%2Fb',
    'a%252Fb',
    'a=2fb',
    'a=2Fb',
    'a+b',
    'a b',
    'a%20b',
    'YQ==',
    'YQ',
    'a',
    '=',
    '%',
    '=hash-',
    '=hash-ada',
  ],
  'keys of 256 bytes are kept whole': longKeys(),
};

export const tokenKeys = group('token keys', {
  ...Object.fromEntries(Object.entries(KEYS).map(([name, keys]) => [name, (scene: Scene) => keepsApart(scene, keys)])),

  'all awkward keys fit into one store together': async (scene) => keepsApart(scene, [...new Set(Object.values(KEYS).flat())]),

  'a key of 257 bytes is refused': async (scene) => {
    const backend = await scene.open();
    await refusesKey(backend, 'x'.repeat(257));
    await refusesKey(backend, '日'.repeat(86));
    assert.equal(await backend.records.read('x'.repeat(256)), undefined, 'a key was cut to fit');
  },

  'an empty key is refused': async (scene) => refusesKey(await scene.open(), ''),

  'a lone surrogate is refused': async (scene) => {
    const backend = await scene.open();
    await refusesKey(backend, 'ada\ud83d');
    await refusesKey(backend, '\ude00ada');
    // A high and a low surrogate in the wrong order are two lone ones.
    await refusesKey(backend, '\ude00\ud83d');
  },

  'no key given means the default key': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'));
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: backend.defaultTokenKey, fresh: true })), ['ada']);
    assert.equal(await backend.checkToken({ tokenKey: backend.defaultTokenKey }), true);
    assert.equal(await backend.deleteToken(), true);
    assert.equal(await backend.checkToken({ tokenKey: backend.defaultTokenKey }), false);
  },

  'variations of the default key are records of their own': async (scene) => {
    const { defaultTokenKey } = await scene.open();
    const encoded = defaultTokenKey.replace(/[^a-z0-9.-]/g, (letter) => `=${letter.charCodeAt(0).toString(16)}`);
    const variations = [
      defaultTokenKey.toUpperCase(),
      defaultTokenKey.toLowerCase(),
      encoded,
      `${defaultTokenKey}.lock`,
      `./${defaultTokenKey}`,
    ];
    await keepsApart(scene, [...new Set([defaultTokenKey, ...variations])]);
  },
});

async function keepsApart(scene: Scene, keys: readonly string[]): Promise<void> {
  const [backend, reader] = await scene.pair('shared');
  for (const key of keys) await create(backend, key);
  for (const key of keys) assert.equal(await readText(reader, key), contentFor(key), `the record under ${JSON.stringify(key)}`);
  const sorted = [...keys].sort();
  if (scene.capabilities.list) assert.deepEqual(await bothListings(reader), { records: sorted, tokens: sorted });
  for (const key of keys) assert.equal(await backend.records.remove(key, { expect: 'anything' }), true, JSON.stringify(key));
}

async function create(backend: TokenBackend, key: string): Promise<void> {
  await writeText(backend, key, contentFor(key), 'absent').catch((error: unknown) => {
    if (!VersionConflictError.is(error)) throw error;
    assert.fail(`there is a record under ${JSON.stringify(key)} already: two different keys meet`);
  });
}

async function refusesKey(backend: TokenBackend, key: string): Promise<void> {
  const what = `with the key ${JSON.stringify(key)}`;
  await rejectsArgument(`reading ${what}`, async () => backend.records.read(key));
  await rejectsArgument(`writing ${what}`, async () => writeText(backend, key, '{}'));
  await rejectsArgument(`removing ${what}`, async () => backend.records.remove(key, { expect: 'anything' }));
  await rejectsArgument(`loading ${what}`, async () => backend.loadToken({ tokenKey: key }));
  await rejectsArgument(`saving ${what}`, async () => backend.saveToken(signedIn('ada'), { tokenKey: key }));
}

/** 256 bytes each, alike for as long as possible; in the last ones every byte needs an escape. */
function longKeys(): readonly string[] {
  const start = 'x'.repeat(250);
  const emoji = '😀'.repeat(63);
  return [
    `${start}000000`,
    `${start}000001`,
    `${start}00000`,
    `${emoji}😀`,
    `${emoji}😁`,
    `${'A'.repeat(255)}A`,
    `${'A'.repeat(255)}a`,
    '/'.repeat(256),
  ];
}

const contentFor = (key: string): string => JSON.stringify({ key });
