import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { type AuthScheme, AutodiscoverCache, Autodiscovery, discover, UsernamePasswordCredentials } from '@tokenry/autodiscover';
import { describe, expect, it } from 'vitest';
import { ADA, HOST, lab, options, posts, soap, useLab } from './corp-example.js';
import { exchange, redirectTo } from './lab/exchange.js';
import type { Handler } from './lab/lab.js';

useLab();

/** A server that answers once it is told to. */
function heldServer() {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = exchange({ offers: 'Basic', soap });
  lab.host(HOST, async (request, response) => {
    reached.resolve();
    await released.promise;
    return server(request, response);
  });
  return { reached: reached.promise, release: released.resolve };
}

describe('identical discoveries at the same time', () => {
  it('share one search, whatever the number of callers', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', soap }));
    const same = options();
    const found = await Promise.all(Array.from({ length: 50 }, () => discover(ADA, { ...same })));
    expect(new Set(found.map(({ address, source }) => `${address} ${source}`))).toEqual(new Set([`${ADA} network`]));
    expect(new Set(found.map(({ trace }) => JSON.stringify(trace))).size).toBe(1);
    expect(posts()).toBe(1);
  });

  it('one caller’s signal ends its own waiting alone', async () => {
    const { reached, release } = heldServer();
    const same = options();
    const leaver = new AbortController();
    const [first, second] = [new Autodiscovery(ADA, { ...same, signal: leaver.signal }), new Autodiscovery(ADA, same)];
    const [leaving, staying] = [expect(first.discover()).rejects.toThrow('enough'), second.discover()];
    await reached;
    leaver.abort(new Error('enough'));
    await leaving;
    release();
    expect((await staying).address).toBe(ADA);
    expect(first.trace.length).toBeLessThan(second.trace.length);
    expect(posts()).toBe(1);
  });

  it('the search ends when the last caller has left, and the next one starts anew', async () => {
    const { reached, release } = heldServer();
    const same = options({ cache: new AutodiscoverCache({ memoryOnly: true }) });
    const leavers = Array.from({ length: 3 }, () => new AbortController());
    const gone = leavers.map(({ signal }) => expect(discover(ADA, { ...same, signal })).rejects.toThrow('enough'));
    await reached;
    for (const leaver of leavers) leaver.abort(new Error('enough'));
    await Promise.all(gone);
    release();
    expect((await discover(ADA, same)).source).toBe('network');
  });

  it('other credentials, rules or caches are other searches', async () => {
    const asked: string[] = [];
    lab.host(HOST, redirectTo('https://mail.hoster.example/autodiscover/autodiscover.svc'));
    lab.host('mail.hoster.example', exchange({ offers: 'Basic', soap }));
    const same = options();
    const allow = (name: string) => ({ ...same, onRedirect: () => asked.push(name) > 0 });
    const twin = new UsernamePasswordCredentials('CORP\\ada', 'secret-TEST-other');
    const [first, second, other, denied] = await Promise.allSettled([
      discover(ADA, allow('first')),
      discover(ADA, allow('second')),
      discover(ADA, { ...allow('twin'), credentials: twin }),
      discover(ADA, same),
    ]);
    expect([first.status, second.status, other.status, denied.status]).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(new Set(asked)).toEqual(new Set(['first', 'second', 'twin']));
    const sent = lab.to('mail.hoster.example').flatMap(({ headers }) => headers.authorization ?? []);
    expect(new Set(sent).size).toBe(2);
  });

  it('a failure reaches everybody', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', soap: () => ({ code: 'InvalidUser', message: 'No.' }) }));
    const same = options();
    const errors = await Promise.all([1, 2, 3].map(() => discover(ADA, { ...same }).catch((error: unknown) => error)));
    for (const error of errors) expect(error).toMatchObject({ code: 'TOKENRY_AUTODISCOVER_MAILBOX_NOT_FOUND' });
    expect(posts()).toBe(1);
  });
});

it('a domain that hangs keeps no other waiting, with one cache for both', async () => {
  const { reached, release } = heldServer();
  lab.host('autodiscover.other.example', exchange({ offers: 'Basic', soap }));
  const folder = await mkdtemp(join(tmpdir(), 'autodiscover-locks-'));
  try {
    const same = options({ cache: new AutodiscoverCache({ folder }) });
    const held = discover(ADA, same);
    await reached;
    const order: string[] = [];
    const both = held.then(() => order.push('held'));
    for (const name of ['ada', 'bob', 'ada']) await discover(`${name}@other.example`, same);
    order.push('others');
    release();
    await both;
    expect(order).toEqual(['others', 'held']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('a scheme of three messages signs in on one connection, bound to its channel, for discovery and EWS alike', async () => {
  const password = 'secret-TEST-password';
  const proof = (challenge: string, binding: Uint8Array) =>
    createHmac('sha256', password).update(challenge).update(binding).digest('base64');
  const scheme: AuthScheme = {
    name: 'NTLM',
    bindsConnection: true,
    accepts: ({ hostname }) => hostname.endsWith('.corp.example'),
    async authorize({ challenge, round, serverCertificate = new Uint8Array() }) {
      if (round === 1) return 'NTLM negotiate';
      if (challenge?.token === undefined) return undefined;
      return `NTLM ${proof(challenge.token, createHash('sha256').update(serverCertificate).digest())}`;
    },
  };
  // The server's side: a challenge belongs to its connection, and the proof to the certificate shown there.
  const challenges = new WeakMap<object, string>();
  const guarded =
    (inner: Handler): Handler =>
    (request, response) => {
      const socket = response.socket as TLSSocket;
      const { authorization = '' } = request.headers;
      const challenge = challenges.get(socket);
      challenges.delete(socket);
      const certificate = socket.getCertificate() as PeerCertificate;
      if (
        challenge !== undefined &&
        authorization === `NTLM ${proof(challenge, createHash('sha256').update(certificate.raw).digest())}`
      )
        return inner(request, response);
      const fresh = Buffer.from(crypto.randomUUID()).toString('base64');
      if (authorization === 'NTLM negotiate') challenges.set(socket, fresh);
      return { status: 401, headers: { 'www-authenticate': authorization === 'NTLM negotiate' ? `NTLM ${fresh}` : 'NTLM' } };
    };
  lab.host(HOST, guarded(exchange({ soap })));
  lab.host(
    'mail.corp.example',
    guarded(() => ({ body: 'welcome' })),
  );
  const found = await discover(ADA, lab.options({ askMicrosoft: false, authScheme: scheme }));
  expect(found).toMatchObject({ mailboxVerified: true, authSchemes: ['NTLM'] });
  const call = () => found.services.ews?.fetch('https://mail.corp.example/EWS/Exchange.asmx', { method: 'POST', body: '<x/>' });
  for (let i = 0; i < 3; i++) expect(await (await call())?.text()).toBe('welcome');
  // Connections that were signed in are closed with their last answer: nobody else can use them.
  await expect.poll(() => lab.connections()).toBeLessThanOrEqual(2);
  // The mailbox is named to a server that knows the password alone.
  const unsigned = lab.requests.filter(({ headers }) => !/^NTLM [^n]/.test(headers.authorization ?? ''));
  expect(
    unsigned
      .filter(({ path, headers }) => !path.includes('.json') && headers.authorization === undefined)
      .map(({ body }) => body)
      .join(''),
  ).not.toContain('ada@');
});

it('discoveries of thousands of domains leave few connections open', async () => {
  const v2 = (protocol: string) => ({
    body: JSON.stringify({ Protocol: protocol, Url: 'https://mail.example/EWS/Exchange.asmx' }),
  });
  const domains = Array.from({ length: 150 }, (_, index) => `company-${index}.example`);
  for (const domain of domains) lab.host(`autodiscover.${domain}`, exchange({ v2 }));
  const same = lab.options({ askMicrosoft: false });
  for (let at = 0; at < domains.length; at += 25)
    await Promise.all(domains.slice(at, at + 25).map((domain) => discover(`ada@${domain}`, same)));
  await expect.poll(() => lab.connections(), { timeout: 10_000 }).toBeLessThanOrEqual(64);
  expect(await lab.connections()).toBeGreaterThan(0);
  // What is left is still of use, and what was closed is opened again.
  for (const domain of domains) await discover(`bob@${domain}`, { ...same, refresh: true });
});
