import { describe, expect, it } from 'vitest';
import { FlowExpiredError } from '../../src/errors.js';
import { FlowSeal } from '../../src/sign-in/flow-seal.js';

const key = (fill: number) => new Uint8Array(32).fill(fill);
const content = { codeVerifier: 'secret-TEST-verifier', scopes: ['User.Read'] };

/** Another base64url character; its first bit differs, as the last ones of a segment may not count. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const flipped = (character: string) => ALPHABET.charAt(ALPHABET.indexOf(character) ^ 32);

describe.each([
  ['without keys', () => new FlowSeal()],
  ['with keys', () => new FlowSeal([key(1)])],
])('a flow sealed %s', (_name, make) => {
  it('opens under its own id', async () => {
    const sealed = await make().close('id-1', content);
    expect(await make().open('id-1', sealed)).toEqual({ ...content, id: 'id-1' });
  });

  it('does not open under another id', async () => {
    const sealed = await make().close('id-1', content);
    await expect(make().open('id-2', sealed)).rejects.toThrow(FlowExpiredError);
  });

  it('does not open when any character was changed', async () => {
    const sealed = await make().close('id-1', content);
    for (let at = 0; at < sealed.length - 1; at += 7) {
      const changed = `${sealed.slice(0, at)}${flipped(sealed.charAt(at))}${sealed.slice(at + 1)}`;
      await expect(make().open('id-1', changed), `at ${at}`).rejects.toThrow(FlowExpiredError);
    }
  });

  it.each(['', '.', 'a.b.c', 'not base64 %%%', 42, null, {}, 'x'.repeat(100_000)])('refuses %j', async (sealed) => {
    await expect(make().open('id-1', sealed)).rejects.toThrow(FlowExpiredError);
  });
});

describe('flow keys', () => {
  it('hide what is sealed', async () => {
    const sealed = await new FlowSeal([key(1)]).close('id-1', content);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('verifier');
  });

  it('rotate: the first seals, all open', async () => {
    const old = await new FlowSeal([key(1)]).close('id-1', content);
    expect(await new FlowSeal([key(2), key(1)]).open('id-1', old)).toMatchObject(content);
    await expect(new FlowSeal([key(2)]).open('id-1', old)).rejects.toThrow(FlowExpiredError);
  });

  it('do not accept a flow that was sealed without them', async () => {
    const open = await new FlowSeal().close('id-1', content);
    await expect(new FlowSeal([key(1)]).open('id-1', open)).rejects.toThrow(FlowExpiredError);
  });

  it('have 32 bytes', () => {
    expect(() => new FlowSeal([new Uint8Array(16)])).toThrow('32 random bytes');
  });
});
