import fc from 'fast-check';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { JweCryptographyManager } from '../../src/crypto/jwe-cryptography-manager.js';
import { DecryptError } from '../../src/errors.js';

const key = (fill: number) => new Uint8Array(32).fill(fill);
const manager = (options: Partial<ConstructorParameters<typeof JweCryptographyManager>[0]> = {}) =>
  new JweCryptographyManager({ keys: { k1: key(1) }, activeKid: 'k1', ...options });
const context = { tokenKey: 'user-1' };
const plain = Buffer.from('{"RefreshToken":{"a":{"secret":"rt-TEST-1"}}}');

async function reasonOf(opening: Promise<unknown>): Promise<string | undefined> {
  const error = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(DecryptError.is(error)).toBe(true);
  expect(`${(error as Error).message}${JSON.stringify(error)}`).not.toContain('rt-TEST');
  return (error as DecryptError).reason;
}

describe('JweCryptographyManager', () => {
  it('writes compact JWE that any JOSE library opens with the key', async () => {
    const sealed = Buffer.from(await manager().encrypt(plain, context)).toString();
    expect(decodeProtectedHeader(sealed)).toMatchObject({ alg: 'dir', enc: 'A256GCM', kid: 'k1' });
    expect(sealed).not.toContain('user-1');
    expect(Buffer.from((await compactDecrypt(sealed, key(1))).plaintext)).toEqual(plain);
  });

  it('returns any bytes unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (data) => {
        const opened = await manager().decrypt(await manager().encrypt(data, context), context);
        expect(Buffer.from(opened)).toEqual(Buffer.from(data));
      }),
      { numRuns: 50 },
    );
  });

  it('seals the same bytes differently each time', async () => {
    expect(await manager().encrypt(plain, context)).not.toEqual(await manager().encrypt(plain, context));
  });

  it('opens records of old keys and seals with the active one', async () => {
    const old = await manager().encrypt(plain, context);
    const rotated = manager({ keys: { k1: key(1), k2: key(2) }, activeKid: 'k2' });
    expect(Buffer.from(await rotated.decrypt(old, context))).toEqual(plain);
    expect(decodeProtectedHeader(Buffer.from(await rotated.encrypt(plain, context)).toString()).kid).toBe('k2');
  });

  it('says unknown-key for a key id that is not configured', async () => {
    const sealed = await manager({ keys: { gone: key(1) }, activeKid: 'gone' }).encrypt(plain, context);
    expect(await reasonOf(manager().decrypt(sealed, context))).toBe('unknown-key');
  });

  it('repeats of a foreign key id no more than a key id is long, and never a key', async () => {
    const kid = `gone\n${'x'.repeat(100_000)}`;
    const sealed = await manager({ keys: { [kid]: key(1) }, activeKid: kid }).encrypt(plain, context);
    const error = await manager()
      .decrypt(sealed, context)
      .catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ reason: 'unknown-key', message: expect.stringContaining('gone\\nxxx') });
    expect(String((error as Error).message).length).toBeLessThan(300);
    const secret = Buffer.from(key(7)).toString('base64');
    for (const activeKid of [secret, key(7) as unknown as string])
      expect(() => manager({ activeKid })).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/BwcH|7,7/) }));
  });

  it('says tampered for another key under the same id, and for every changed byte', async () => {
    const sealed = Buffer.from(await manager().encrypt(plain, context));
    expect(await reasonOf(manager({ keys: { k1: key(9) } }).decrypt(sealed, context))).toBe('tampered');
    const headerEnd = sealed.indexOf('.');
    for (let at = headerEnd + 2; at < sealed.length - 2; at += 7) {
      const changed = Buffer.from(sealed);
      changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
      if (sealed[at] === 0x2e) continue;
      expect(await reasonOf(manager().decrypt(changed, context)), `byte ${at}`).toBe('tampered');
    }
  });

  it('says tampered for bytes that are neither encrypted nor a token cache', async () => {
    for (const junk of ['', 'hello', '\u0000\u0001', 'a.b.c.d', '[1]'])
      expect(await reasonOf(manager({ acceptPlaintext: true }).decrypt(Buffer.from(junk), context)), junk).toBe('tampered');
  });

  it('says wrong-record for a record that was moved to another token key', async () => {
    const sealed = await manager().encrypt(plain, context);
    expect(await reasonOf(manager().decrypt(sealed, { tokenKey: 'user-2' }))).toBe('wrong-record');
  });

  it('refuses plaintext, and opens it where acceptPlaintext says so', async () => {
    expect(await reasonOf(manager().decrypt(plain, context))).toBe('plaintext-refused');
    const accepting = manager({ acceptPlaintext: true });
    expect(Buffer.from(await accepting.decrypt(plain, context))).toEqual(plain);
    const marked = Buffer.from('\ufeff {"AccessToken":{}}');
    expect(Buffer.from(await accepting.decrypt(marked, context))).toEqual(marked);
  });

  it('does not open what another algorithm sealed, although the key would fit', async () => {
    const { CompactEncrypt } = await import('jose');
    const foreign = await new CompactEncrypt(plain)
      .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid: 'k1' })
      .encrypt(key(1));
    expect(await reasonOf(manager().decrypt(Buffer.from(foreign), context))).toBe('tampered');
  });

  it.each([
    ['a short key', { keys: { k1: new Uint8Array(16) } }, 'RangeError', 'TOKENRY_OUT_OF_RANGE'],
    ['a text key', { keys: { k1: 'x'.repeat(32) } }, 'TypeError', 'TOKENRY_INVALID_ARGUMENT'],
    ['an unknown activeKid', { activeKid: 'k2' }, 'TypeError', 'TOKENRY_INVALID_ARGUMENT'],
    ['acceptPlaintext as text', { acceptPlaintext: 'false' }, 'TypeError', 'TOKENRY_INVALID_ARGUMENT'],
    ['an unknown option', { acceptPlainText: true }, 'TypeError', 'TOKENRY_UNKNOWN_OPTION'],
  ])('refuses %s', (_what, options, name, code) => {
    expect(() => manager(options as object)).toThrow(expect.objectContaining({ name, code }));
  });

  it('keeps its own copy of the keys and shows them to nobody', async () => {
    const mine = key(1);
    const made = manager({ keys: { k1: mine } });
    mine.fill(0);
    expect(Buffer.from(await manager().decrypt(await made.encrypt(plain, context), context))).toEqual(plain);
    expect(JSON.stringify(made)).toBe('{}');
  });
});
