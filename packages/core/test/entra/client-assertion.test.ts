import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { AssertionSigner, openCertificate } from '../../src/entra/client-assertion.js';
import * as made from './certificates.js';

const NOW = 1_700_000_000_000;
const TOKEN_ENDPOINT = 'https://login.example/t/oauth2/v2.0/token';
const thumbprint = createHash('sha256').update(new X509Certificate(made.certificate).raw).digest('base64url');

describe('a certificate', () => {
  it.each([
    ['PEM', { privateKey: made.privateKey, certificate: made.certificate }],
    ['PEM with an encrypted key', { privateKey: made.encryptedKey, certificate: made.certificate, passphrase: made.PASSPHRASE }],
    ['PKCS#12 of OpenSSL 3', { pfx: made.modernPfx, passphrase: made.PASSPHRASE }],
    ['PKCS#12 with RC2 and triple DES', { pfx: made.legacyPfx, passphrase: made.PASSPHRASE }],
    ['PKCS#12 without a passphrase', { pfx: made.openPfx }],
  ])('opens from %s', async (_name, given) => {
    const opened = await openCertificate(given);
    expect(opened.thumbprint).toBe(thumbprint);
    expect(new X509Certificate(made.certificate).checkPrivateKey(opened.key)).toBe(true);
  });

  it.each([
    [
      'a wrong passphrase',
      { privateKey: made.encryptedKey, certificate: made.certificate, passphrase: 'wrong' },
      'is the passphrase right?',
    ],
    [
      'a missing passphrase',
      { privateKey: made.encryptedKey, certificate: made.certificate },
      'it is encrypted: give its passphrase',
    ],
    ['a wrong PFX passphrase', { pfx: made.modernPfx, passphrase: 'wrong' }, 'PFX cannot be opened'],
    ['bytes that are no PFX', { pfx: new Uint8Array(64) }, 'PFX cannot be opened'],
    ['a key of another certificate', { privateKey: made.privateKey, certificate: made.otherCertificate }, 'does not belong'],
    ['a damaged certificate', { privateKey: made.privateKey, certificate: made.certificate.slice(0, 200) }, 'cannot be read'],
  ])('is refused with %s, without showing it', async (_name, given, message) => {
    const error = await openCertificate(given).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('secret-TEST');
  });
});

describe('a client assertion', () => {
  const signer = async () =>
    new AssertionSigner('client-1', await openCertificate({ privateKey: made.privateKey, certificate: made.certificate }));

  it('is what Entra ID asks for: PS256, x5t#S256, ten minutes', async () => {
    const jwt = (await signer()).assertionFor(TOKEN_ENDPOINT, NOW);
    const { payload, protectedHeader } = await compactVerify(jwt, createPublicKey(made.certificate));
    expect(protectedHeader).toMatchObject({ alg: 'PS256', 'x5t#S256': thumbprint });
    const claims = JSON.parse(new TextDecoder().decode(payload));
    expect(claims).toMatchObject({
      aud: TOKEN_ENDPOINT,
      iss: 'client-1',
      sub: 'client-1',
      nbf: NOW / 1_000,
      exp: NOW / 1_000 + 600,
    });
    expect(claims.jti).toMatch(/^[\da-f-]{36}$/);
  });

  it('is signed once and reused for eight minutes, per endpoint', async () => {
    const own = await signer();
    const first = own.assertionFor(TOKEN_ENDPOINT, NOW);
    expect(own.assertionFor(TOKEN_ENDPOINT, NOW + 479_000)).toBe(first);
    expect(own.assertionFor(`${TOKEN_ENDPOINT}2`, NOW)).not.toBe(first);
    expect(own.assertionFor(TOKEN_ENDPOINT, NOW + 480_000)).not.toBe(first);
  });

  it('is not kept when the clock was set back', async () => {
    const own = await signer();
    const first = own.assertionFor(TOKEN_ENDPOINT, NOW);
    expect(own.assertionFor(TOKEN_ENDPOINT, NOW - 3_600_000)).not.toBe(first);
  });
});
