// What a discovery costs: remembered in memory, remembered on disk, and cold against servers 20 ms away.
//   node packages/autodiscover/bench/discovery.ts        (after a build; prints one JSON line for each measure)
import 'reflect-metadata'; // what @peculiar/x509 resolves its parts with
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { AutodiscoverCache, closeConnections, type DiscoverOptions, discover } from '@tokenry/autodiscover';

const LATENCY_MS = 20;
const DOMAINS = 1000;
const ONE_BY_ONE = 100;
const CONCURRENCY = 50;
const domain = (index: number) => `company-${index}.example`;

if (isMainThread) await main();
else await serve();

async function main(): Promise<void> {
  const server = new Worker(new URL(import.meta.url));
  const { ca, port } = await new Promise<{ ca: string; port: number }>((resolve) => server.once('message', resolve));
  const network: DiscoverOptions = {
    ca,
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    dns: { resolveSrv: async () => [] },
    connectTo: () => ({ port }),
    askMicrosoft: false,
  };
  const folder = await mkdtemp(join(tmpdir(), 'autodiscover-bench-'));
  try {
    await remembered({ ...network, cache: new AutodiscoverCache({ memoryOnly: true }) });
    await onDisk(network, join(folder, 'cache'));
    await cold(network);
  } finally {
    closeConnections();
    await server.terminate();
    await rm(folder, { recursive: true, force: true });
  }
}

function print(line: Record<string, unknown>): void {
  console.log(JSON.stringify(line));
}

/** Median of several rounds: one round may meet the garbage collector. */
async function medianOf(rounds: number, measure: () => Promise<number>): Promise<number> {
  const results: number[] = [];
  for (let i = 0; i < rounds; i++) results.push(await measure());
  return results.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

async function remembered(options: DiscoverOptions): Promise<void> {
  const addresses = Array.from({ length: 20 }, (_, index) => `ada${index}@${domain(0)}`);
  for (const address of addresses) await discover(address, options);
  const calls = 20_000;
  const ours = await medianOf(9, async () => {
    const startedAt = performance.now();
    for (let i = 0; i < calls; i++) await discover(addresses[i % addresses.length] ?? '', options);
    return ((performance.now() - startedAt) / calls) * 1000;
  });
  print({ name: 'autodiscover: remembered in memory', ours: round(ours), unit: 'µs', target: 10, ok: ours <= 10 });
}

async function onDisk(network: DiscoverOptions, folder: string): Promise<void> {
  await discover(`ada@${domain(0)}`, { ...network, cache: new AutodiscoverCache({ folder }) });
  const calls = 300;
  const ours = await medianOf(5, async () => {
    const startedAt = performance.now();
    // A new cache object each time: nothing of it is in memory, as in a process that has just started.
    for (let i = 0; i < calls; i++) await discover(`ada@${domain(0)}`, { ...network, cache: new AutodiscoverCache({ folder }) });
    return (performance.now() - startedAt) / calls;
  });
  print({ name: 'autodiscover: remembered on disk', ours: round(ours), unit: 'ms', target: 1, ok: ours <= 1 });
}

async function cold(network: DiscoverOptions): Promise<void> {
  const one = async (index: number) => {
    const found = await discover(`ada@${domain(index)}`, { ...network, cache: false });
    if (found.location !== 'on-premises') throw new Error('a discovery went wrong');
  };
  await one(DOMAINS); // loads what is loaded on first use
  closeConnections();
  const aloneAt = performance.now();
  for (let i = 0; i < ONE_BY_ONE; i++) await one(i);
  const alone = ONE_BY_ONE / ((performance.now() - aloneAt) / 1000);
  closeConnections();
  const togetherAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < DOMAINS) await one(next++);
    }),
  );
  const together = DOMAINS / ((performance.now() - togetherAt) / 1000);
  const ratio = together / alone;
  print({ name: 'autodiscover: cold discoveries, one at a time', ours: round(alone), unit: '1/s', latencyMs: LATENCY_MS });
  print({
    name: `autodiscover: ${DOMAINS} cold discoveries, ${CONCURRENCY} at a time`,
    ours: round(together),
    unit: '1/s',
    latencyMs: LATENCY_MS,
  });
  print({ name: 'autodiscover: gain by concurrency', ours: round(ratio), unit: '×', target: 10, ok: ratio >= 10 });
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** The other side, on a thread of its own: an Autodiscover server for every domain, each answer 20 ms late. */
async function serve(): Promise<void> {
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
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----\n`;
  const contexts = new Map<string, tls.SecureContext>();
  for (let index = 0; index <= DOMAINS; index++) {
    const name = `autodiscover.${domain(index)}`;
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
    const protocol = new URL(request.url ?? '/', 'https://x').searchParams.get('Protocol');
    const body = JSON.stringify({
      Protocol: protocol,
      Url: `https://mail.${String(request.headers.host).slice(13)}/EWS/Exchange.asmx`,
    });
    setTimeout(() => response.end(body), LATENCY_MS);
  });
  server.listen(0, '127.0.0.1', () =>
    parentPort?.postMessage({ ca: ca.toString('pem'), port: (server.address() as { port: number }).port }),
  );
}
