import 'reflect-metadata'; // @peculiar/x509's dependency injection needs it before the import below
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** A certificate authority that lives in memory, and a server certificate of it for this machine's loopback names. */
export interface LoopbackCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const keyPair = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/**
 * Makes both key pairs and certificates. The CA's private key is dropped at once; nothing touches the disk.
 * @param now epoch milliseconds by the real clock: TLS does not look at a faked one
 */
export async function makeLoopbackCertificates(now: number): Promise<LoopbackCertificates> {
  const [caKeys, serverKeys] = await Promise.all([keyPair(), keyPair()]);
  const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 365 * DAY_MS) };
  const ca = await X509CertificateGenerator.createSelfSigned({
    name: `CN=Tokenry dev authority ${crypto.randomUUID()}`,
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    ...validity,
    extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
  });
  const server = await X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    ...validity,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  });
  return { ca: ca.toString('pem'), cert: server.toString('pem'), key: await privateKeyPem(serverKeys.privateKey) };
}

async function privateKeyPem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}
