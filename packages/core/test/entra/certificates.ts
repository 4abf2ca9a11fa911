import { readFileSync } from 'node:fs';

/** Made for these tests with OpenSSL; the passphrase of all of them is {@link PASSPHRASE}. */
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

export const PASSPHRASE = 'secret-TEST-passphrase';
export const certificate = fixture('certificate.pem').toString();
export const otherCertificate = fixture('other-certificate.pem').toString();
export const privateKey = fixture('key.pem').toString();
export const encryptedKey = fixture('encrypted-key.pem').toString();
/** OpenSSL 3: PBES2 with AES-256-CBC, MAC with SHA-256. */
export const modernPfx = new Uint8Array(fixture('modern.pfx'));
/** As older Windows versions export: RC2 and triple DES, MAC with SHA-1. */
export const legacyPfx = new Uint8Array(fixture('legacy.pfx'));
export const openPfx = new Uint8Array(fixture('no-passphrase.pfx'));
