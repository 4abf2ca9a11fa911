import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName, isReservedRecordName, RecordKeys } from '../../src/backend/record-key.js';
import { checkTokenKey } from '../../src/backend/token-key.js';

const keys = (options: { keyPrefix?: string; maxBytes?: number; suffix?: string; defaultTokenKey?: string } = {}) =>
  new RecordKeys({ defaultTokenKey: 'o365_token.txt', keyPrefix: '', ...options });

const anyKey = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
    fc.string({
      unit: fc.constantFrom('a', 'A', '.', '=', '/', '\\', '6', '1', '-', 'é', '\u0000'),
      minLength: 1,
      maxLength: 64,
    }),
    fc.constantFrom(
      '..',
      '.',
      'con',
      'CON',
      'nul.txt',
      '=lease-00',
      '=key-00',
      'a=41',
      'o365_token.txt',
      'O365_TOKEN.TXT',
      'x'.repeat(256),
    ),
  )
  .filter((key) => Buffer.byteLength(key) <= 256);

describe('record names', () => {
  it.each([
    ['user-42', 'user-42'],
    ['Ada', '=41da'],
    ['a/b', 'a=2fb'],
    ['..', '=2e=2e'],
    ['.hidden', '=2ehidden'],
    ['trailing.', 'trailing=2e'],
    ['con', '=63on'],
    ['lpt1.txt', '=6cpt1.txt'],
    ['console', 'console'],
    ['=lease-1', '=3dlease-1'],
    ['é', '=c3=a9'],
    ['a b', 'a=20b'],
  ])('encodes %j as %j', (key, name) => {
    expect(encodeName(key)).toBe(name);
    expect(decodeName(name)).toBe(key);
  });

  it('decodes nothing that it would not have encoded that way', () => {
    for (const name of ['=41DA', '=4', '=zz', 'A', '.hidden', 'con', '=61', 'a=61', '=c3', 'trailing.', 'a/b'])
      expect(decodeName(name), name).toBeUndefined();
  });

  it('takes the default key literally, and gives a key that would meet it a hashed name', () => {
    const names = keys({ defaultTokenKey: 'O365_Token.txt' });
    expect(names.nameOf('O365_Token.txt')).toBe('O365_Token.txt');
    // On a file system without case these two would be one file.
    expect(names.nameOf('o365_token.txt')).toMatch(/^o365_token\.txt=hash-[0-9a-f]{64}$/);
    expect(names.keyOf('O365_Token.txt')).toEqual({ tokenKey: 'O365_Token.txt' });
  });

  it('refuses reserved default keys', () => {
    expect(() => keys({ defaultTokenKey: '=lease-x' })).toThrow(TypeError);
    expect(() => keys({ defaultTokenKey: `a=hash-${'0'.repeat(64)}` })).toThrow(TypeError);
  });

  it('shortens long names to 40 bytes and a hash', () => {
    const names = keys();
    const long = 'ü'.repeat(100);
    expect(names.nameOf(long)).toMatch(/^(?:=c3=bc){6}=c3=\w?=hash-[0-9a-f]{64}$/);
    expect(names.hashInNameOf(long)).toBe(names.hashOf(long));
    expect(names.keyFromSideRecord(names.nameOf(long), long)).toBe(long);
    expect(names.keyFromSideRecord(names.nameOf(long), `${long}x`)).toBeUndefined();
  });

  it('knows its own prefix from others', () => {
    const names = keys({ keyPrefix: 'app/' });
    expect(names.nameOf('user')).toBe('app=2fuser');
    expect(names.nameOf('o365_token.txt')).toBe('app=2fo365_token.txt');
    expect(names.keyOf('app=2fuser')).toEqual({ tokenKey: 'user' });
    expect(names.keyOf('other=2fuser')).toBeUndefined();
    expect(names.keyOf('app=2f')).toBeUndefined();
  });

  it('tells records from strangers by the suffix', () => {
    const names = keys({ suffix: '.token' });
    expect(names.nameOf('user')).toBe('user.token');
    expect(names.nameOf('o365_token.txt')).toBe('o365_token.txt');
    expect(names.keyOf('user.token')).toEqual({ tokenKey: 'user' });
    expect(names.keyOf('notes.md')).toBeUndefined();
  });

  it('are reversible, case-safe and never reserved, whatever the key', () => {
    const options = fc.constantFrom({}, { keyPrefix: 'App:' }, { suffix: '.tok' }, { maxBytes: 128 });
    fc.assert(
      fc.property(anyKey, options, (key, option) => {
        const names = keys(option);
        const name = names.nameOf(key);
        expect(name).toMatch(/^[a-z0-9_.=-]+$/);
        expect(name.length).toBeLessThanOrEqual(200);
        expect(isReservedRecordName(name)).toBe(false);
        expect(name.startsWith('.') || name.endsWith('.') || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/.test(name)).toBe(false);
        const found = names.keyOf(name);
        expect(found && 'hash' in found ? names.keyFromSideRecord(name, (option.keyPrefix ?? '') + key) : found?.tokenKey).toBe(
          key,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('differ for different keys, also where case does not count', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (one, other) => {
        fc.pre(one !== other);
        expect(keys().nameOf(one).toLowerCase()).not.toBe(keys().nameOf(other).toLowerCase());
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('token keys', () => {
  it('may have 1 to 256 UTF-8 bytes', () => {
    expect(checkTokenKey('é'.repeat(128))).toHaveLength(128);
    expect(() => checkTokenKey('é'.repeat(129))).toThrow(
      expect.objectContaining({ name: 'RangeError', code: 'TOKENRY_OUT_OF_RANGE' }),
    );
    expect(() => checkTokenKey('')).toThrow(expect.objectContaining({ name: 'RangeError', code: 'TOKENRY_OUT_OF_RANGE' }));
  });

  it.each([
    ['a lone surrogate', '\ud800'],
    ['a number', 1],
    ['null', null],
    ['an object', {}],
  ])('must not be %s', (_what, value) => {
    expect(() => checkTokenKey(value)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' }));
  });
});
