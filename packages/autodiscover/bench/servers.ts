// The other side of the benchmark, in a process of its own: an Autodiscover server for every domain, each answer late.
//   node servers.ts <number of domains> <latency in ms>        (prints its port and CA as one JSON line)
import 'reflect-metadata'; // what @peculiar/x509 resolves its parts with
import https from 'node:https';
import tls from 'node:tls';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const [domains = 0, latencyMs = 0] = process.argv.slice(2).map(Number);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const [caKeys, keys] = await Promise.all([newKeys(), newKeys()]);
const common = {
  signingAlgorithm: algorithm,
  notBefore: new Date(Date.now() - 86_400_000),
  notAfter: new Date(Date.now() + 86_400_000),
};
const ca = await X509CertificateGenerator.createSelfSigned({
  ...common,
  name: 'CN=Autodiscover benchmark',
  keys: caKeys,
  extensions: [new BasicConstraintsExtension(true, 0, true)],
});
const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
// All made before the first discovery: issuing certificates is not what is measured.
const contexts = new Map<string, tls.SecureContext>();
for (let index = 0; index < domains; index++) {
  const name = `autodiscover.company-${index}.example`;
  const certificate = await X509CertificateGenerator.create({
    ...common,
    subject: 'CN=server',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  });
  contexts.set(name, tls.createSecureContext({ key, cert: certificate.toString('pem') }));
}
const server = https.createServer({ SNICallback: (name, done) => done(null, contexts.get(name)) }, (request, response) => {
  const Protocol = new URL(request.url ?? '/', 'https://x').searchParams.get('Protocol');
  const Url = `https://mail.${String(request.headers.host).slice('autodiscover.'.length)}/EWS/Exchange.asmx`;
  setTimeout(() => response.end(JSON.stringify({ Protocol, Url })), latencyMs);
});
server.on('tlsClientError', () => undefined);
server.listen(0, '127.0.0.1', 1024, () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ ca: ca.toString('pem'), port }));
});
// Ends with the benchmark, however that ends.
process.stdin.on('end', () => process.exit()).resume();
