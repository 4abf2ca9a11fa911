import { X509Certificate } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  type AuthScheme,
  AutodiscoverError,
  closeConnections,
  type DiscoverOptions,
  discover,
  Identity,
  OAuth2AuthorizationCodeCredentials,
  type RedirectRequest,
  UsernamePasswordCredentials,
} from '@tokenry/autodiscover';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ewsSettings, poxAnswer } from './fixtures/answers.js';
import { exchange, redirectTo, status } from './lab/exchange.js';
import { type Handler, type Lab, startLab } from './lab/lab.js';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

/** Hosts that may see the credential; every test that trusts another one says so. */
let mayKnow: ReadonlySet<string>;
const MAIL_HOSTS = ['corp.co.uk', 'autodiscover.corp.co.uk', 'exchange.corp.co.uk'];
/** The password as Basic would send it, and any secret in the clear; NTLM's are base64 of it. */
const BASIC = Buffer.from('CORP\\ada:secret-TEST-password').toString('base64');
const SECRET = new RegExp(`secret-TEST|at-TEST|${BASIC}|${Buffer.from('secret-TEST-').toString('base64')}`);
let sent = 0;

beforeAll(() => {
  mayKnow = new Set(MAIL_HOSTS);
});
afterEach(() => {
  // The one rule of this suite: no test may end with a credential outside the trust rules, over whatever it was sent.
  const leaks = lab.requests.filter(
    (request) => SECRET.test(JSON.stringify(request)) && !(request.secure && mayKnow.has(request.host)),
  );
  sent += lab.requests.filter((request) => SECRET.test(JSON.stringify(request))).length;
  expect(leaks).toEqual([]);
  mayKnow = new Set(MAIL_HOSTS);
  closeConnections();
  lab.reset();
});
afterAll(() => {
  // Not vacuous: where the rules allow it the credential was seen.
  expect(sent).toBeGreaterThan(10);
});

const ADA = 'ada@corp.co.uk';
const HOST = 'autodiscover.corp.co.uk';
const SVC = '/autodiscover/autodiscover.svc';
const EVIL = 'https://evil.example/autodiscover/autodiscover.svc';
const credentials = new UsernamePasswordCredentials('CORP\\ada', 'secret-TEST-password');
const options = (more: DiscoverOptions = {}) =>
  lab.options({ askMicrosoft: false, credentials, allowBasic: true, stepTimeoutMs: 2000, timeoutMs: 8000, ...more });
const find = (more: DiscoverOptions = {}, address = ADA) => discover(address, options(more));
const outcome = async (more: DiscoverOptions = {}, address = ADA): Promise<string> =>
  find(more, address).then(
    () => 'found',
    (error: unknown) =>
      AutodiscoverError.is(error) ? error.code.replace('TOKENRY_AUTODISCOVER_', '') : `untyped ${String(error)}`,
  );
/** A server that offers everything, accepts everything, and would be glad to have a password. */
const greedy = exchange({
  offers: ['Basic realm="x"', 'NTLM', 'Bearer', 'Negotiate'],
  soap: (a) => ewsSettings('evil.example', a),
  pox: () => poxAnswer(''),
});
const trap = (...names: string[]) => {
  for (const name of names) lab.host(name, greedy, { plain: greedy });
};
const corp = (handler: Handler, plain?: Handler) => lab.host(HOST, handler, plain ? { plain } : {});
const soapServer = (soap: (address: string) => object) => exchange({ offers: 'Basic', soap });

describe('names that belong to strangers', () => {
  it('a mail domain is never shortened: nothing goes to autodiscover.<suffix> or its parents', async () => {
    const strangers = ['autodiscover.co.uk', 'co.uk', 'autodiscover.uk', 'uk', 'autodiscover.corp.co.uk', 'corp.co.uk'];
    trap(...strangers);
    expect(await outcome({}, 'ada@it.dept.corp.co.uk')).toBe('NOT_FOUND');
    expect(lab.requests).toEqual([]);
    expect(lab.dns.queries.filter(({ name }) => !name.endsWith('it.dept.corp.co.uk'))).toEqual([]);
  });

  it('a suffix as mail domain is refused at once', async () => {
    trap('autodiscover.co.uk', 'autodiscover.github.io', 'autodiscover.uk.com');
    for (const domain of ['co.uk', 'github.io', 'uk.com']) expect(await outcome({}, `ada@${domain}`)).toBe('INVALID_ADDRESS');
    expect(lab.requests).toEqual([]);
  });

  it('a neighbour under a private suffix is a stranger', async () => {
    lab.host('autodiscover.alice.github.io', redirectTo('https://autodiscover.mallory.github.io/x'));
    trap('autodiscover.mallory.github.io');
    expect(await outcome({}, 'ada@alice.github.io')).toBe('REDIRECT_BLOCKED');
    expect(lab.to('autodiscover.mallory.github.io')).toEqual([]);
  });
});

describe('servers that choose the scheme', () => {
  it("the ol' switcheroo: 401 with Basic gets neither a token nor a password that was meant for another scheme", async () => {
    corp(exchange({ offers: 'Basic realm="please"', soap: (a) => ewsSettings('evil.example', a) }));
    const token = new OAuth2AuthorizationCodeCredentials({ accessToken: { access_token: 'at-TEST-token' } });
    expect(await outcome({ credentials: token })).toBe('NOT_FOUND');
    const ntlm: AuthScheme = {
      name: 'NTLM',
      bindsConnection: true,
      accepts: () => true,
      authorize: async () => 'NTLM secret-TEST-blob',
    };
    expect(await outcome({ authScheme: ntlm })).toBe('NOT_FOUND');
    expect(await outcome({ allowBasic: false })).toBe('NOT_FOUND');
    expect(lab.requests.filter(({ headers }) => /\S \S/.test(headers.authorization ?? ''))).toEqual([]);
  });

  it('nothing is sent pre-emptively: a server that asks for nothing gets nothing', async () => {
    corp(exchange({ soap: (a) => ewsSettings('mail.corp.co.uk', a) }));
    expect(await outcome()).toBe('found');
    expect(lab.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  });

  it('a scheme with several rounds keeps to one connection and gives up after three', async () => {
    const rounds: number[] = [];
    const ntlm: AuthScheme = {
      name: 'NTLM',
      bindsConnection: true,
      accepts: ({ hostname }) => hostname.endsWith('corp.co.uk'),
      authorize: async ({ round, serverCertificate }) => {
        expect(new X509Certificate(serverCertificate ?? '').subjectAltName).toMatch(/corp\.co\.uk$/);
        return `NTLM ${Buffer.from(`secret-TEST-${rounds.push(round)}`).toString('base64')}`;
      },
    };
    const ports = new Set<unknown>();
    corp((request, response) => {
      if (request.headers.authorization) ports.add(response.socket?.remotePort);
      return { status: 401, headers: { 'www-authenticate': 'NTLM TlRMTVNTUA==' } };
    });
    expect(await outcome({ authScheme: ntlm })).toBe('AUTH_FAILED');
    expect(rounds).toEqual([1, 2, 3]);
    expect(ports.size).toBe(1);
  });
});

describe('redirects to a foreign host', () => {
  const paths: Record<string, () => void> = {
    'plain HTTP': () => corp(status(404), redirectTo(EVIL)),
    'plain HTTP to http': () => corp(status(404), redirectTo(EVIL.replace('https', 'http'))),
    https: () => corp(redirectTo(EVIL)),
    'https after the credential was sent': () =>
      corp(({ headers }) =>
        headers.authorization
          ? { status: 307, headers: { location: EVIL } }
          : { status: 401, headers: { 'www-authenticate': 'Basic' } },
      ),
    SRV: () =>
      lab.dns.set('_autodiscover._tcp.corp.co.uk', { srv: [{ name: 'evil.example', port: 443, priority: 0, weight: 0 }] }),
    'SOAP RedirectUrl': () => corp(soapServer(() => ({ code: 'RedirectUrl', redirectTarget: EVIL }))),
    'SOAP RedirectAddress': () => corp(soapServer(() => ({ code: 'RedirectAddress', redirectTarget: 'ada@evil.example' }))),
    'POX redirectUrl': () =>
      corp(exchange({ offers: 'Basic', pox: () => poxAnswer(`<Action>redirectUrl</Action><RedirectUrl>${EVIL}</RedirectUrl>`) })),
    'POX redirectAddr': () =>
      corp(
        exchange({
          offers: 'Basic',
          pox: () => poxAnswer('<Action>redirectAddr</Action><RedirectAddr>ada@evil.example</RedirectAddr>'),
        }),
      ),
    'V2 Location': () =>
      corp(
        exchange({
          v2: () => ({ status: 302, headers: { location: 'https://evil.example/autodiscover/autodiscover.json?Email=x' } }),
        }),
      ),
  };
  it.each(Object.keys(paths))('by %s are denied by default, and not even looked at', async (name) => {
    trap('evil.example', 'autodiscover.evil.example');
    paths[name]?.();
    expect(await outcome()).toBe('REDIRECT_BLOCKED');
    for (const host of ['evil.example', 'autodiscover.evil.example']) expect(lab.to(host)).toEqual([]);
  });

  it.each(Object.keys(paths).filter((name) => !/http$/.test(name)))(
    'by %s are put to onRedirect, whose no is final',
    async (name) => {
      trap('evil.example', 'autodiscover.evil.example');
      paths[name]?.();
      const asked: RedirectRequest[] = [];
      const answers = [false, undefined, 'yes', 1, {}] as unknown as boolean[];
      for (const answer of answers) {
        expect(
          await outcome({
            onRedirect: (request) => {
              asked.push(request);
              return answer;
            },
          }),
        ).toBe('REDIRECT_BLOCKED');
      }
      expect(new Set(asked.map(({ host }) => host))).toEqual(new Set(['evil.example']));
      for (const host of ['evil.example', 'autodiscover.evil.example']) expect(lab.to(host)).toEqual([]);
    },
  );

  it('a host that somebody allows is used, and only that one', async () => {
    mayKnow = new Set([...MAIL_HOSTS, 'hoster.example']);
    corp(redirectTo(`https://hoster.example${SVC}`));
    lab.host(
      'hoster.example',
      soapServer((a) => ewsSettings('mail.hoster.example', a)),
    );
    trap('mail.hoster.example');
    const found = await find({ onRedirect: ({ host }) => host === 'hoster.example' });
    expect(lab.to('hoster.example').some(({ headers }) => headers.authorization)).toBe(true);
    // EWS at yet another host gets nothing until that host is allowed too.
    await expect(
      found.services.ews?.fetch('https://mail.hoster.example/EWS/Exchange.asmx', { method: 'POST', body: 'x' }),
    ).rejects.toMatchObject({
      code: 'TOKENRY_AUTODISCOVER_REDIRECT_BLOCKED',
    });
    await expect(found.services.ews?.fetch('https://evil.example/', { method: 'POST', body: 'x' })).rejects.toThrow(TypeError);
    expect(lab.to('mail.hoster.example')).toEqual([]);
  });

  it.each([
    'https://corp.co.uk@evil.example/',
    'https://corp.co.uk:443@evil.example/',
    'https://corp.co.uk.evil.example/',
    'https://evil.example\\@corp.co.uk/',
    'https://evilcorp.co.uk/',
    'https://corp.co.uk%2eevil.example/',
    'https://corp.co.uk%00.evil.example/',
    'https://outlook.com.evil.example/',
    'https://evil-outlook.com/',
    'https://office365.com.evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example\\',
    'https:evil.example',
    'https:/\\evil.example/',
    ' https://evil.example/ ',
    'https://EVIL.EXAMPLE./',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://user:pass@exchange.corp.co.uk/',
    'https://exchange.corp.co.uk:8443/',
    'ftp://exchange.corp.co.uk/',
    'file:///etc/passwd',
    'data:text/xml,<x/>',
    'javascript:alert(1)',
    `https://evil.example/${'a'.repeat(5000)}`,
  ])('the Location %j reaches nobody', async (location) => {
    lab.host(HOST, redirectTo(location), { plain: redirectTo(location) });
    trap('evil.example', 'evilcorp.co.uk', 'corp.co.uk.evil.example', 'evil-outlook.com', '127.0.0.1', 'exchange.corp.co.uk');
    // A path on the own host is the only thing that some of these may mean.
    expect(['NOT_FOUND', 'REDIRECT_BLOCKED', 'TOO_MANY_REDIRECTS']).toContain(await outcome());
    expect(lab.requests.filter(({ host }) => host !== HOST)).toEqual([]);
  });

  it('every hop from https to http is refused, wherever it comes from', async () => {
    const target = `http://exchange.corp.co.uk${SVC}`;
    lab.host('exchange.corp.co.uk', greedy, { plain: greedy });
    for (const handler of [redirectTo(target), soapServer(() => ({ code: 'RedirectUrl', redirectTarget: target }))]) {
      corp(handler, redirectTo(target));
      expect(await outcome({ onRedirect: () => true })).toBe('REDIRECT_BLOCKED');
    }
    expect(lab.to('exchange.corp.co.uk')).toEqual([]);
  });

  it('a trusted redirect starts anonymously again: no Authorization crosses origins by itself', async () => {
    corp(({ headers }) =>
      headers.authorization
        ? { status: 307, headers: { location: `https://exchange.corp.co.uk${SVC}` } }
        : { status: 401, headers: { 'www-authenticate': 'Basic' } },
    );
    lab.host('exchange.corp.co.uk', exchange({ soap: (a) => ewsSettings('mail.corp.co.uk', a) }));
    expect(await outcome()).toBe('found');
    expect(lab.to('exchange.corp.co.uk').filter(({ headers }) => headers.authorization)).toEqual([]);
  });
});

describe('addresses inside', () => {
  const privately = { blockPrivateNetworks: true, allowLoopback: true };

  it.each([
    '10.0.0.1',
    '172.31.255.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
  ])('a redirect to a host at %s is not connected to when private networks are blocked', async (a) => {
    corp(redirectTo(`https://exchange.corp.co.uk${SVC}`));
    lab.host('exchange.corp.co.uk', greedy, { a: [a] });
    const error = (await find(privately).catch((thrown: unknown) => thrown)) as AutodiscoverError;
    expect(error.trace.filter(({ url }) => url?.includes('exchange')).at(-1)).toMatchObject({
      step: 'probe',
      outcome: 'private-address',
    });
  });

  it.each(['::1', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '::ffff:a00:1', '64:ff9b::a00:1', '2002:a00:1::', '::'])(
    'nor at %s',
    async (aaaa) => {
      lab.dns.set(HOST, { aaaa: [aaaa.replace('10.0.0.1', 'a00:1')] });
      const error = (await find({ blockPrivateNetworks: true }).catch((thrown: unknown) => thrown)) as AutodiscoverError;
      expect(error.trace.find(({ step }) => step === 'probe')).toMatchObject({ outcome: 'private-address' });
    },
  );

  it('one private address among public ones is enough', async () => {
    lab.host(HOST, greedy, { a: ['127.0.0.1', '10.0.0.1'] });
    const error = (await find(privately).catch((thrown: unknown) => thrown)) as AutodiscoverError;
    expect(error.trace.find(({ step }) => step === 'probe')).toMatchObject({ outcome: 'private-address' });
    expect(lab.to(HOST)).toEqual([]);
  });

  it('DNS rebinding gains nothing: a connection goes to the address that was checked, and each one is checked', async () => {
    let asked = 0;
    const connected: string[] = [];
    const addresses = () => [asked++ % 2 === 0 ? '127.0.0.1' : '10.0.0.1'];
    // Closing after each answer forces a new connection, with a new look-up, for every request.
    const handler: Handler = (_request, response) => {
      connected.push(String(response.socket?.localAddress));
      return { status: 404, headers: { connection: 'close' } };
    };
    lab.host(HOST, handler, { plain: handler });
    const answers: string[] = [];
    const lookup: NonNullable<DiscoverOptions['lookup']> = async (name) => {
      if (name !== HOST) return lab.lookup(name);
      const [address = ''] = addresses();
      answers.push(address);
      return [{ address, family: 4 }];
    };
    expect(await outcome({ ...privately, lookup })).toBe('NOT_FOUND');
    expect(connected.length).toBe(answers.filter((address) => address === '127.0.0.1').length);
    expect(answers.filter((address) => address === '10.0.0.1').length).toBeGreaterThan(0);
    expect(new Set(connected.map((address) => address.replace('::ffff:', '')))).toEqual(new Set(['127.0.0.1']));
  });
});

describe('servers that are not who they say', () => {
  it.each(['other.corp.co.uk', 'evil.example', '*.co.uk'])(
    'a certificate for %s ends before anything is sent',
    async (certificate) => {
      lab.host(HOST, greedy, { certificate });
      const error = (await find().catch((thrown: unknown) => thrown)) as AutodiscoverError;
      expect(error.trace.find(({ step }) => step === 'probe')).toMatchObject({ outcome: 'tls-failed' });
      expect(lab.to(HOST).filter(({ secure }) => secure)).toEqual([]);
    },
  );

  it('a certificate of an unknown authority too', async () => {
    corp(greedy);
    const { ca: _ca, ...withoutCa } = options();
    const error = (await discover(ADA, withoutCa).catch((thrown: unknown) => thrown)) as AutodiscoverError;
    expect(error.trace.find(({ step }) => step === 'probe')).toMatchObject({ outcome: 'tls-failed' });
    expect(lab.to(HOST).filter(({ secure }) => secure)).toEqual([]);
  });
});

describe('servers that want to keep us busy', () => {
  const endless = (write: (response: ServerResponse, n: number) => boolean) => (_request: unknown, response: ServerResponse) => {
    let n = 0;
    const more = () => {
      while (!response.destroyed && write(response, n++));
      if (!response.destroyed) response.once('drain', more);
    };
    response.writeHead(200, { 'content-type': 'text/xml' });
    more();
    return undefined;
  };

  it('a body of 10 GB is cut off after the first megabyte', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    corp(
      endless((response) => {
        written += chunk.length;
        return written < 10 * 2 ** 30 && response.write(chunk);
      }),
    );
    expect(await outcome()).toBe('NOT_FOUND');
    expect(lab.to(HOST).length).toBeGreaterThan(1);
    expect(written / lab.to(HOST).length).toBeLessThan(32 * 2 ** 20);
  });

  it('a body that says how long it is, and lies, is no better', async () => {
    corp((_request, response) => {
      response.writeHead(200, { 'content-length': String(10 * 2 ** 30) }).write('<');
      return undefined;
    });
    expect(await outcome({ stepTimeoutMs: 300 })).toBe('NOT_FOUND');
  });

  it('slow drips of headers or body end with the step, a hundred of them with the discovery', async () => {
    const drip = (first: string) => (_request: unknown, response: ServerResponse) => {
      response.socket?.write(first);
      const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.socket?.write('a')), 20);
      response.socket?.on('close', () => clearInterval(timer));
      return new Promise<undefined>(() => undefined);
    };
    for (const first of ['HTTP/1.1 200 OK\r\nx-', 'HTTP/1.1 200 OK\r\n\r\n<']) {
      corp(drip(first));
      expect(await outcome({ stepTimeoutMs: 250 })).toBe('NOT_FOUND');
      expect(await outcome({ stepTimeoutMs: 5000, timeoutMs: 400 })).toBe('TIMEOUT');
    }
  });

  it.each([
    ['a flood of headers', `HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(100_000)}`],
    ['one endless header', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1_000_000)}`],
    ['a flood of interim answers', 'HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n'.repeat(10_000)],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['something that is not HTTP', '220 mail.corp.co.uk ESMTP\r\n'],
    [
      'smuggled lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    ],
  ])('%s is a typed failure', async (_name, bytes) => {
    corp((_request, response) => {
      response.socket?.write(bytes);
      return new Promise<undefined>(() => undefined);
    });
    expect(['NOT_FOUND', 'TIMEOUT']).toContain(await outcome({ stepTimeoutMs: 300 }));
  });

  it('a compressed answer is refused unread', async () => {
    corp(() => ({ headers: { 'content-encoding': 'gzip' }, body: 'x' }));
    const error = (await find().catch((thrown: unknown) => thrown)) as AutodiscoverError;
    expect(error.trace.find(({ step }) => step === 'probe')).toMatchObject({ outcome: 'bad-response' });
  });

  const bomb = (levels: number) =>
    Array.from({ length: levels }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  it.each([
    ['a billion laughs', `<!DOCTYPE Envelope [<!ENTITY l0 "ha">${bomb(9)}]><Envelope>&l9;</Envelope>`],
    ['an external entity', '<!DOCTYPE Envelope SYSTEM "https://evil.example/x.dtd"><Envelope/>'],
    ['a parameter entity', '<!DOCTYPE Envelope [<!ENTITY % x SYSTEM "https://evil.example/x.dtd"> %x;]><Envelope/>'],
    ['100 000 levels', `<Envelope>${'<a>'.repeat(100_000)}`],
    ['200 000 elements', `<Envelope>${'<a/>'.repeat(200_000)}</Envelope>`],
    ['50 000 attributes', `<Envelope ${Array.from({ length: 50_000 }, (_, i) => `a${i}="x"`).join(' ')}/>`],
    ['a long name', `<Envelope><${'a'.repeat(900_000)}/></Envelope>`],
    ['character references', `<Envelope>${'&#x41;'.repeat(150_000)}</Envelope>`],
    [
      'namespace upon namespace',
      `<Envelope>${Array.from({ length: 39 }, (_, i) => `<a xmlns="urn:${i}" xmlns:p${i}="urn:${i}">`).join('')}`,
    ],
  ])('%s as answer fetches nothing and ends in time', async (_name, body) => {
    trap('evil.example');
    corp(
      exchange({
        offers: 'Basic',
        soap: () => ({ headers: { 'content-type': 'text/xml' }, body }),
        pox: () => ({ headers: {}, body }),
      }),
    );
    expect(await outcome({ stepTimeoutMs: 8000, timeoutMs: 16_000 })).toBe('NOT_FOUND');
    expect(lab.to('evil.example')).toEqual([]);
  });

  it('redirects without end, with ever new URLs and ever new addresses, end after ten each', async () => {
    let urls = 0;
    corp(() => ({ status: 302, headers: { location: `https://h${++urls}.corp.co.uk${SVC}` } }));
    for (let i = 1; i < 40; i++)
      lab.host(`h${i}.corp.co.uk`, () => ({ status: 302, headers: { location: `https://h${++urls}.corp.co.uk${SVC}` } }));
    expect(await outcome()).toBe('TOO_MANY_REDIRECTS');
    expect(urls).toBeLessThanOrEqual(24);
    let addresses = 0;
    corp(soapServer(() => ({ code: 'RedirectAddress', redirectTarget: `ada${++addresses}@corp.co.uk` })));
    expect(await outcome()).toBe('TOO_MANY_REDIRECTS');
    expect(addresses).toBe(11);
  });
});

describe('injection', () => {
  it.each([
    'ada\r\nX-Evil: 1@corp.co.uk',
    'ada@corp.co.uk\r\nX-Evil: 1',
    'ada\n@corp.co.uk',
    '"ada\r\nX-Evil: 1"@corp.co.uk',
    'ada@corp.co.uk\u2028x',
  ])('the address %j is refused before anything is sent', async (address) => {
    corp(greedy);
    expect(await outcome({}, address)).toBe('INVALID_ADDRESS');
    expect(lab.requests).toEqual([]);
  });

  it('an address or an identity cannot add elements to the request', async () => {
    const bodies: string[] = [];
    corp((request, response) => {
      if (request.headers.authorization) bodies.push(request.body);
      return soapServer((a) => ewsSettings('mail.corp.co.uk', a))(request, response);
    });
    await find({}, '"</a:Mailbox><a:X/>"@corp.co.uk');
    expect(bodies.join('')).not.toContain('<a:X/>');
    expect(JSON.stringify(new Identity({ upn: '<x/>' }))).toBe('{"upn":"<x/>"}');
  });

  it('redirect targets with line breaks lead nowhere else', async () => {
    trap('evil.example');
    corp(soapServer(() => ({ code: 'RedirectUrl', redirectTarget: `https://exchange.corp.co.uk/\r\nHost: evil.example\r\n` })));
    lab.host('exchange.corp.co.uk', status(404));
    expect(['NOT_FOUND', 'REDIRECT_BLOCKED']).toContain(await outcome());
    expect(lab.to('evil.example')).toEqual([]);
  });

  it('what servers write does not reach a terminal or a log as it is', async () => {
    corp(
      soapServer(() => ({
        code: 'InvalidRequest',
        message: '\u202eoops Bearer eyJhbGciOiJ9.eyJhbGciOiJ9.x password=secret-word',
      })),
    );
    const error = (await find().catch((thrown: unknown) => thrown)) as AutodiscoverError;
    expect(error.explain()).not.toMatch(/\u202e|eyJhbG|secret-word/u);
  });
});
