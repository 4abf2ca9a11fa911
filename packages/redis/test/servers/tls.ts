import { webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { freePort, RedisServer } from './redis-server.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface TlsServer {
  readonly server: RedisServer;
  readonly port: number;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  stop(): Promise<void>;
}

/** A server that speaks TLS only, with a certificate for `localhost` made just now. */
export async function startTlsServer(args: readonly string[] = []): Promise<TlsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-redis-tls-'));
  const path = (name: string) => join(folder, name);
  const made = await certificates();
  for (const [name, text] of Object.entries(made)) await writeFile(path(name), text, { mode: 0o600 });
  const port = await freePort();
  const files = [
    '--tls-cert-file',
    path('server.pem'),
    '--tls-key-file',
    path('server.key'),
    '--tls-ca-cert-file',
    path('ca.pem'),
  ];
  const server = await RedisServer.start({
    port,
    // The later --port wins: no plain port at all.
    args: ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files, ...args],
    cli: ['--tls', '--cacert', path('ca.pem'), '-h', 'localhost'],
  });
  return {
    server,
    port,
    ca: made['ca.pem'],
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function certificates() {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const [caKeys, serverKeys] = await Promise.all([newKeys(), newKeys()]);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Tokenry test authority',
    ...validity,
    signingAlgorithm: ALGORITHM,
    keys: caKeys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const server = await x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: 'CN=localhost',
    issuer: ca.subject,
    ...validity,
    signingAlgorithm: ALGORITHM,
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey);
  return {
    'ca.pem': ca.toString('pem'),
    'server.pem': server.toString('pem'),
    'server.key': x509.PemConverter.encode(key, 'PRIVATE KEY'),
  };
}

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
