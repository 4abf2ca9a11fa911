/** A certificate for daemon-certificate.ts; yours comes from a vault, or from `openssl req -x509 -newkey rsa:2048 -nodes`. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };

export async function makeCertificate(name: string): Promise<{ readonly privateKey: string; readonly certificate: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notBefore = new Date(Date.now() - 3_600_000);
  const notAfter = new Date(Date.now() + 86_400_000);
  const options = { name: `CN=${name}`, keys, notBefore, notAfter, signingAlgorithm: algorithm };
  const certificate = (await X509CertificateGenerator.createSelfSigned(options)).toString('pem');
  const privateKey = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { privateKey, certificate };
}
