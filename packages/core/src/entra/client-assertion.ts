import type { KeyObject, X509Certificate } from 'node:crypto';
import { type Certificate, checkedCertificate, type Pfx } from '../application-credentials.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument } from '../options.js';

/** Entra takes client assertions that live ten minutes at most; ours are replaced two minutes earlier. */
const LIFETIME_SECONDS = 600;
const REUSE_MS = (LIFETIME_SECONDS - 120) * 1_000;

/** A certificate ready to sign: the key opened once, the thumbprint computed once. */
export interface SigningCertificate {
  readonly key: KeyObject;
  /** SHA-256 of the certificate, base64url: the `x5t#S256` header. */
  readonly thumbprint: string;
}

/**
 * Opens a certificate, PEM or PKCS#12.
 * @throws TypeError that says which part cannot be read; never the key or the passphrase.
 */
export async function openCertificate(given: Certificate | Pfx): Promise<SigningCertificate> {
  const checked = checkedCertificate(given);
  const { privateKey, certificate, passphrase } = 'pfx' in checked ? await (await import('./pfx.js')).openPfx(checked) : checked;
  const key = privateKeyOf(privateKey, passphrase);
  if (key.asymmetricKeyType !== 'rsa') throw invalidArgument('clientCertificate: Entra ID takes RSA keys only.');
  const x509 = certificateOf(certificate);
  if (!x509.checkPrivateKey(key)) throw invalidArgument('clientCertificate: the private key does not belong to the certificate.');
  return { key, thumbprint: Buffer.from(x509.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url') };
}

function privateKeyOf(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return nodeCrypto().createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    // The cause is left out: what OpenSSL says adds nothing, and the input is a private key.
    const encrypted = pem.includes('ENCRYPTED');
    const advice = encrypted
      ? passphrase === undefined
        ? 'it is encrypted: give its passphrase'
        : 'is the passphrase right?'
      : 'is it PEM?';
    throw invalidArgument(`clientCertificate: the private key cannot be opened; ${advice}`);
  }
}

function certificateOf(pem: string): X509Certificate {
  try {
    const { X509Certificate } = nodeCrypto();
    return new X509Certificate(pem);
  } catch {
    throw invalidArgument('clientCertificate: the certificate cannot be read; it must be PEM text.');
  }
}

/**
 * Signs client assertions (RFC 7523, PS256 with `x5t#S256`) and reuses each for eight minutes: a signature costs about a
 * millisecond, and msal-node would make one per application, that is per operation.
 * Source: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
export class AssertionSigner {
  readonly #certificate: SigningCertificate;
  readonly #clientId: string;
  readonly #signed = new Map<string, { readonly jwt: string; readonly until: number }>();

  constructor(clientId: string, certificate: SigningCertificate) {
    this.#clientId = clientId;
    this.#certificate = certificate;
  }

  /** An assertion for `tokenEndpoint`; `now` is epoch milliseconds. */
  assertionFor(tokenEndpoint: string, now: number): string {
    const known = this.#signed.get(tokenEndpoint);
    // A clock that was set back must not keep an assertion "from the future" alive.
    if (known && now < known.until && known.until - now <= REUSE_MS) return known.jwt;
    const jwt = this.#sign(tokenEndpoint, now);
    if (this.#signed.size >= 1_000) this.#signed.clear();
    this.#signed.set(tokenEndpoint, { jwt, until: now + REUSE_MS });
    return jwt;
  }

  #sign(audience: string, now: number): string {
    const { key, thumbprint } = this.#certificate;
    const issuedAt = Math.floor(now / 1_000);
    const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint };
    const claims = {
      aud: audience,
      iss: this.#clientId,
      sub: this.#clientId,
      jti: nodeCrypto().randomUUID(),
      nbf: issuedAt,
      iat: issuedAt,
      exp: issuedAt + LIFETIME_SECONDS,
    };
    const input = `${encode(header)}.${encode(claims)}`;
    const { constants, sign } = nodeCrypto();
    const signature = sign('sha256', Buffer.from(input), {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
    return `${input}.${signature.toString('base64url')}`;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
