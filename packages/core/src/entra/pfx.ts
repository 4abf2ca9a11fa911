import type { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Certificate, Pfx } from '../application-credentials.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument } from '../options.js';

/**
 * Node reads PKCS#12 into a TLS context but hands out neither key nor certificate, so node-forge (no dependencies of its
 * own) unpacks the container. It is loaded here, on first need, and only by programs that use a PFX.
 */
interface Asn1 {
  readonly asn1: unique symbol;
}
interface Bag {
  readonly key: Asn1 | null;
  readonly asn1: Asn1;
  readonly cert: Asn1 | null;
}
interface Forge {
  readonly util: { createBuffer(bytes: string): unknown };
  readonly asn1: { fromDer(bytes: unknown): Asn1; toDer(value: Asn1): { getBytes(): string } };
  readonly pki: {
    readonly oids: Readonly<Record<string, string>>;
    wrapRsaPrivateKey(key: Asn1): Asn1;
    privateKeyToAsn1(key: Asn1): Asn1;
    certificateToAsn1(certificate: Asn1): Asn1;
  };
  readonly pkcs12: {
    pkcs12FromAsn1(
      container: Asn1,
      passphrase: string,
    ): { getBags(filter: { bagType: string }): Readonly<Record<string, readonly Bag[]>> };
  };
}

/**
 * Unpacks the private key of a PKCS#12 container and the certificate that belongs to it.
 * @throws TypeError when it cannot be opened, or holds no such pair.
 */
export async function openPfx({ pfx, passphrase = '' }: Pfx): Promise<Certificate> {
  const forge = createRequire(import.meta.url)('node-forge') as Forge;
  const container = unpack(forge, pfx, passphrase);
  const [keyBag] = [...bags(container, forge, 'pkcs8ShroudedKeyBag'), ...bags(container, forge, 'keyBag')];
  if (!keyBag) throw invalidArgument('clientCertificate: the PFX holds no private key.');
  const key = nodeCrypto().createPrivateKey({ key: der(forge, privateKeyInfo(forge, keyBag)), format: 'der', type: 'pkcs8' });
  const certificates = bags(container, forge, 'certBag').map((bag) => certificateOf(forge, bag));
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (!own) throw invalidArgument('clientCertificate: the PFX holds no certificate for its private key.');
  return { privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: own.toString() };
}

type Container = ReturnType<Forge['pkcs12']['pkcs12FromAsn1']>;

function unpack(forge: Forge, pfx: Uint8Array, passphrase: string): Container {
  try {
    const bytes = forge.util.createBuffer(Buffer.from(pfx).toString('latin1'));
    return forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes), passphrase);
  } catch {
    throw invalidArgument('clientCertificate: the PFX cannot be opened; is it a PKCS#12 file, and is the passphrase right?');
  }
}

function bags(container: Container, forge: Forge, type: string): readonly Bag[] {
  const bagType = forge.pki.oids[type] ?? '';
  return container.getBags({ bagType })[bagType] ?? [];
}

function privateKeyInfo(forge: Forge, bag: Bag): Asn1 {
  return bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
}

function certificateOf(forge: Forge, bag: Bag): X509Certificate {
  const { X509Certificate } = nodeCrypto();
  return new X509Certificate(der(forge, bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1));
}

function der(forge: Forge, value: Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(value).getBytes(), 'latin1');
}
