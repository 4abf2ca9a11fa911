import 'reflect-metadata'; // what @peculiar/x509 resolves its parts with
import tls from 'node:tls';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 30 * DAY_MS) };

/** A certificate authority of our own, which issues a certificate for any name on demand. */
export interface TestAuthority {
  readonly ca: string;
  /** A TLS context whose certificate is valid for `name`. */
  contextFor(name: string): Promise<tls.SecureContext>;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const [caKeys, serverKeys] = await Promise.all([newKeys(), newKeys()]);
  const ca = await X509CertificateGenerator.createSelfSigned({
    name: `CN=Autodiscover test ${crypto.randomUUID()}`,
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    ...validity,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  const key = await toPem(serverKeys.privateKey);
  const contexts = new Map<string, Promise<tls.SecureContext>>();
  const issue = async (name: string) => {
    const certificate = await X509CertificateGenerator.create({
      subject: 'CN=server',
      issuer: ca.subject,
      publicKey: serverKeys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
    });
    return tls.createSecureContext({ key, cert: certificate.toString('pem') });
  };
  return {
    ca: ca.toString('pem'),
    contextFor(name) {
      const context = contexts.get(name) ?? issue(name);
      contexts.set(name, context);
      return context;
    },
  };
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

async function toPem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}
