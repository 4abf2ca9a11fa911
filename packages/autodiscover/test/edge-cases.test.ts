import { inspect } from 'node:util';
import { AutodiscoverCache, closeConnections, OAuth2AuthorizationCodeCredentials } from '@tokenry/autodiscover';
import { describe, expect, it } from 'vitest';
import { parseMailAddress } from '../src/address/mail-address.js';
import { ADA, BASIC, code, EWS, failure, find, HOST, lab, SVC, server, soap, useLab } from './corp-example.js';
import { ewsSettings, fixture, poxAnswer, poxError } from './fixtures/answers.js';
import { exchange, redirectTo, status, webSite } from './lab/exchange.js';

useLab();

const xml = (body: string) => ({ headers: { 'content-type': 'text/xml' }, body });

describe('cases that upstream lacks (4.5): addresses', () => {
  it.each([
    ['ADA@CORP.EXAMPLE', 'corp.example', 'ada@corp.example'],
    ['ada@corp.example.', 'corp.example', 'ada@corp.example'],
    ['ada+news@corp.example', 'corp.example', 'ada+news@corp.example'],
    ['"ada byron"@corp.example', 'corp.example', '"ada byron"@corp.example'],
    ['ada@bücher.example', 'xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['ada@XN--BCHER-KVA.example', 'xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    [' ada@corp.example ', 'corp.example', 'ada@corp.example'],
  ])('%s is an address in %s', (text, domain, key) => {
    expect(parseMailAddress(text)).toMatchObject({ domain, key });
  });

  it.each([
    'ada',
    '@corp.example',
    'ada@',
    'ada@corp',
    'ada@127.0.0.1',
    'ada@[127.0.0.1]',
    'ada@[::1]',
    'ada@2130706433',
    'ada@0x7f.1',
    'ada@co.uk',
    'ada@com',
    'ada@uk.com',
    'ada@github.io',
    'ada@corp..example',
    'ada@-corp.example',
    'ada@corp.example/x',
    'ada@corp.example:443',
    'ada@evil.example@corp.example\r\nX: y',
    'ada\r\nAuthorization: x@corp.example',
    'ada\u0000@corp.example',
    'a b@corp.example',
    '<x>@corp.example',
    `${'a'.repeat(65)}@corp.example`,
    `ada@${'a'.repeat(64)}.example`,
  ])('%j is refused before anything is sent', async (address) => {
    await expect(find({}, address)).rejects.toMatchObject(code('INVALID_ADDRESS'));
    expect(lab.requests).toHaveLength(0);
  });

  it.each([
    'ada+news@corp.example',
    '"ada byron"@corp.example',
    "o'hara&co@corp.example",
    'ADA@CORP.example',
    'zoë@corp.example',
  ])('%s arrives at the server unharmed', async (address) => {
    let asked = '';
    lab.host(
      HOST,
      server((mailbox) => {
        asked = mailbox;
        return ewsSettings('mail.corp.example');
      }),
    );
    await find({}, address);
    expect(asked).toBe(address.replace('CORP', 'corp'));
  });

  it('an international domain is asked under its DNS name', async () => {
    lab.host(
      'autodiscover.xn--bcher-kva.example',
      server(() => ewsSettings('mail.xn--bcher-kva.example')),
    );
    expect((await find({}, 'ada@bücher.example')).endpoint.url).toBe(`https://autodiscover.xn--bcher-kva.example${SVC}`);
  });

  it('a loop of addresses that differ in case alone is circular', async () => {
    let n = 0;
    lab.host(
      HOST,
      server(() => ({ code: 'RedirectAddress', redirectTarget: n++ % 2 ? 'Ada+X@corp.example' : 'aDa+x@CORP.example' })),
    );
    await expect(find()).rejects.toMatchObject(code('CIRCULAR_REDIRECT'));
    expect(n).toBe(2);
  });

  it('a chain of ever new addresses ends after ten', async () => {
    let n = 0;
    lab.host(
      HOST,
      server(() => ({ code: 'RedirectAddress', redirectTarget: `ada${++n}@corp.example` })),
    );
    await expect(find()).rejects.toMatchObject(code('TOO_MANY_REDIRECTS'));
    expect(n).toBe(11);
  });
});

describe('cases that upstream lacks (4.5): servers', () => {
  it('a 401 at the first host is not the last word', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', accepts: 'Basic other', soap: () => ewsSettings('x.example') }));
    lab.host('corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://corp.example${SVC}`);
  });

  it('a host that has no IPv4 address is reached by IPv6 alone', async () => {
    lab.host(HOST, server(), { a: [] });
    lab.dns.set(HOST, { aaaa: ['::1'] });
    // The laboratory listens on IPv4: reaching for ::1 is what counts.
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
    const error = await failure({ connectTo: () => ({ port: 9 }) });
    expect(error.trace.find(({ step }) => step === 'probe')).toMatchObject({
      outcome: 'unreachable',
      detail: 'ECONNREFUSED',
    });
  });

  it('a broken root web site (wrong certificate) is merely skipped', async () => {
    lab.host('corp.example', webSite, { certificate: 'hosting.example' });
    lab.host(HOST, status(404), { plain: redirectTo(`https://exchange.corp.example${SVC}`) });
    lab.host('exchange.corp.example', server());
    const found = await find();
    expect(found.endpoint.url).toBe(`https://exchange.corp.example${SVC}`);
    expect(found.trace.find(({ url }) => url?.startsWith('https://corp.example/'))).toMatchObject({
      outcome: 'tls-failed',
      detail: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it.each([
    ['HTML', { headers: { 'content-type': 'text/html' }, body: '<!doctype html><html></html>' }],
    ['truncated XML', xml('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>')],
    ['a DTD bomb', xml('<!DOCTYPE Envelope [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Envelope>&b;</Envelope>')],
    ['10 MB', xml(`<Envelope>${'x'.repeat(10_000_000)}</Envelope>`)],
    ['nothing', { status: 200 }],
    ['JSON', { body: '{}' }],
  ])('%s instead of SOAP makes the search go on', async (_name, reply) => {
    lab.host(HOST, exchange({ offers: 'Basic', accepts: BASIC, soap: () => reply }));
    lab.host('corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://corp.example${SVC}`);
  });

  it('a busy server is asked again after the others, and then answers', async () => {
    let calls = 0;
    lab.host(
      HOST,
      server((address) => (++calls === 1 ? { code: 'ServerBusy', message: 'Later.' } : soap(address))),
    );
    expect((await find()).address).toBe(ADA);
    expect(calls).toBe(2);
  });

  it('a server that stays busy, by SOAP code or status 503, ends in SERVER_BUSY', async () => {
    for (const reply of [
      { code: 'ServerBusy', message: 'Later.' },
      { status: 503, headers: { 'retry-after': '0' } },
    ]) {
      lab.host(
        HOST,
        server(() => reply),
      );
      await expect(find()).rejects.toMatchObject({ ...code('SERVER_BUSY'), retryable: true });
    }
  });

  it('a server that is not federated says so', async () => {
    lab.host(
      HOST,
      server(() => ({ code: 'NotFederated', message: 'No.' })),
    );
    await expect(find()).rejects.toMatchObject(code('NOT_FEDERATED'));
  });

  it('no AutoDiscoverSMTPAddress: the address asked for stands; only an internal EWS URL: it is reported', async () => {
    lab.host(
      HOST,
      server(() => ({ settings: { InternalEwsUrl: 'https://mbx.corp.example/EWS/Exchange.asmx' } })),
    );
    const found = await find();
    expect(found.address).toBe(ADA);
    expect(found.services.ews).toMatchObject({ internalUrl: 'https://mbx.corp.example/EWS/Exchange.asmx' });
    expect(found.services.ews?.externalUrl).toBeUndefined();
    expect(found.location).toBe('on-premises');
  });

  it('collections and unknown settings arrive typed and raw', async () => {
    lab.host(
      HOST,
      server(() => xml(fixture('soap-collections.xml'))),
    );
    const found = await find({ settings: 'all' });
    expect(found.services).toMatchObject({
      owa: { externalUrls: ['https://mail.corp.example/owa/'], internalUrls: [] },
      imap: [
        { host: 'imap.corp.example', port: 993, encryption: 'SSL' },
        { host: 'imap.corp.example', port: 143, encryption: 'TLS' },
      ],
    });
    expect(found.settings?.known.AlternateMailboxes).toHaveLength(1);
    expect(found.settings?.raw.PublishedTomorrow).toEqual({ type: 'StringSetting', value: 'kept' });
    expect(JSON.parse(JSON.stringify(found)).settings.raw.PublishedTomorrow.value).toBe('kept');
  });

  it('a server without SOAP answers by POX, with MAPI, OWA and both EWS addresses', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', accepts: BASIC, pox: () => fixture('pox-three-protocols.xml') }));
    const found = await find();
    expect(found.endpoint).toEqual({ url: 'https://autodiscover.corp.example/autodiscover/autodiscover.xml', kind: 'pox' });
    expect(found.services).toMatchObject({
      ews: {
        externalUrl: EWS,
        internalUrl: 'https://mbx01.corp.example/EWS/Exchange.asmx',
      },
      mapi: { mailStore: { externalUrl: 'https://mail.corp.example/mapi/emsmdb/' } },
      owa: { externalUrls: ['https://mail.corp.example/owa/'], internalUrls: ['https://mbx01.corp.example/owa/'] },
    });
  });

  it('POX redirects to an address and to a URL are followed', async () => {
    const next =
      '<Action>redirectUrl</Action><RedirectUrl>https://exchange.corp.example/autodiscover/autodiscover.xml</RedirectUrl>';
    lab.host(
      HOST,
      exchange({
        offers: 'Basic',
        accepts: BASIC,
        pox: (a) => poxAnswer(a === ADA ? '<Action>redirectAddr</Action><RedirectAddr>ada2@corp.example</RedirectAddr>' : next),
      }),
    );
    lab.host(
      'exchange.corp.example',
      exchange({ offers: 'Basic', accepts: BASIC, pox: () => fixture('pox-three-protocols.xml') }),
    );
    expect(await find()).toMatchObject({
      redirectedFrom: [ADA],
      endpoint: { url: 'https://exchange.corp.example/autodiscover/autodiscover.xml' },
    });
  });

  it('an unknown mailbox by POX is MAILBOX_NOT_FOUND', async () => {
    lab.host(
      HOST,
      exchange({ offers: 'Basic', accepts: BASIC, pox: () => poxError('500', "The email address can't be found.") }),
    );
    await expect(find()).rejects.toMatchObject({ ...code('MAILBOX_NOT_FOUND'), serverCode: '500' });
  });

  it('an older server that does not know the requested version is asked in its own', async () => {
    const versions: string[] = [];
    lab.host(HOST, (request, response) => {
      const version = /RequestedServerVersion>([^<]*)/.exec(request.body)?.[1];
      if (version && request.headers.authorization) versions.push(version);
      if (request.headers.authorization && version === 'Exchange2016')
        return xml(
          '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>x</faultcode><faultstring>Invalid server version.</faultstring></s:Fault></s:Body></s:Envelope>',
        );
      return server()(request, response);
    });
    expect((await find()).address).toBe(ADA);
    expect(versions).toEqual(['Exchange2016', 'Exchange2010']);
  });

  it('two mailboxes of one domain on different sites do not disturb each other', async () => {
    lab.host(
      HOST,
      server((address) =>
        address === ADA ? soap(address) : { code: 'RedirectUrl', redirectTarget: `https://cloud.corp.example${SVC}` },
      ),
    );
    lab.host(
      'cloud.corp.example',
      server((address) => ewsSettings('cloud.corp.example', address)),
    );
    const cache = new AutodiscoverCache({ memoryOnly: true });
    for (let round = 0; round < 3; round++) {
      expect((await find({ cache, refresh: true })).services.ews?.externalUrl).toBe(EWS);
      expect((await find({ cache, refresh: true }, 'bob@corp.example')).services.ews?.externalUrl).toBe(
        'https://cloud.corp.example/EWS/Exchange.asmx',
      );
    }
  });
});

describe('cases that upstream lacks (4.5): redirects and SRV', () => {
  it.each([301, 302, 303, 307, 308])('HTTP %i is a redirect, and its query is kept', async (status) => {
    lab.host(HOST, redirectTo(`https://exchange.corp.example${SVC}?site=2#x`, status));
    lab.host('exchange.corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://exchange.corp.example${SVC}?site=2`);
  });

  it('a Location of //host keeps https, a relative one its host', async () => {
    lab.host(HOST, redirectTo(`//exchange.corp.example${SVC}`));
    lab.host('exchange.corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://exchange.corp.example${SVC}`);
    lab.host(HOST, (request, response) =>
      request.path.startsWith('/autodiscover')
        ? { status: 302, headers: { location: '/other/' } }
        : server()({ ...request, path: SVC }, response),
    );
    expect((await find()).endpoint.url).toBe('https://autodiscover.corp.example/other/');
  });

  it('a ring of redirects ends after ten, whatever the URLs look like', async () => {
    let n = 0;
    lab.host(HOST, () => ({
      status: 302,
      headers: { location: `https://autodiscover.corp.example/autodiscover/autodiscover.xml?${++n}` },
    }));
    await expect(find()).rejects.toMatchObject(code('TOO_MANY_REDIRECTS'));
    // Ten of the discovery itself, ten of the V2 service.
    expect(n).toBeLessThanOrEqual(24);
  });

  const srv = (name: string, more: object = {}) => ({ name, port: 443, priority: 1, weight: 1, ...more });
  it('an SRV target of "." means that there is no service', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', { srv: [srv('.')] });
    const error = await failure();
    expect(error.trace.find(({ step }) => step === 'srv')).toMatchObject({ outcome: 'no-record' });
  });

  it('another SRV port than 443 needs both the option and trust', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', { srv: [srv('exchange.corp.example', { port: 8443 })] });
    lab.host('exchange.corp.example', server());
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
    await expect(find({ allowSrvPorts: true })).rejects.toMatchObject(code('REDIRECT_BLOCKED'));
    const found = await find({ allowSrvPorts: true, trustedHosts: ['exchange.corp.example:8443'] });
    expect(found.endpoint.url).toBe(`https://exchange.corp.example:8443${SVC}`);
  });

  it('a failing SRV server gives way to the next one', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', {
      srv: [srv('b.corp.example', { priority: 20 }), srv('a.corp.example', { priority: 10 })],
    });
    lab.host('a.corp.example', status(500));
    lab.host('b.corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://b.corp.example${SVC}`);
  });
});

describe('cases that upstream lacks (4.5): time and silence', () => {
  it('a server that never answers costs its step, not the discovery', async () => {
    lab.host(HOST, () => new Promise(() => undefined));
    lab.host('corp.example', server());
    expect((await find({ stepTimeoutMs: 300 })).endpoint.url).toBe(`https://corp.example${SVC}`);
  });

  it('the total deadline ends everything with TIMEOUT and the trace so far', async () => {
    lab.host(HOST, () => new Promise(() => undefined));
    await expect(find({ timeoutMs: 300 })).rejects.toMatchObject({ ...code('TIMEOUT'), retryable: true });
  });

  it('a DNS server that never answers is within the deadline too', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', { fail: 'silent' });
    await expect(find({ timeoutMs: 400 })).rejects.toMatchObject(code('TIMEOUT'));
  });

  it('closing the connections ends what runs with ABORTED', async () => {
    const asked = new Promise<void>((resolve) => {
      lab.host(HOST, () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    const ended = expect(find()).rejects.toMatchObject({ ...code('ABORTED'), retryable: false });
    await asked;
    closeConnections();
    await ended;
  });

  it('an abort in mid-flight rejects with its reason, before and during', async () => {
    lab.host(HOST, () => new Promise(() => undefined));
    const controller = new AbortController();
    const running = find({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(running).rejects.toThrow('enough');
    await expect(find({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
  });
});

describe('cases that upstream lacks (4.5): secrets', () => {
  it('Basic is never sent unless it is allowed, even if nothing else is offered', async () => {
    lab.host(HOST, server());
    const error = await failure({ allowBasic: false });
    expect(error).toMatchObject(code('NOT_FOUND'));
    expect(error.explain()).toMatch(/want credentials/);
    expect(lab.requests.filter(({ headers }) => headers.authorization)).toHaveLength(0);
  });

  it('a token is never sent to a host outside its audience', async () => {
    lab.host(HOST, exchange({ offers: ['Bearer', 'Basic'], soap }));
    const token = new OAuth2AuthorizationCodeCredentials({ accessToken: { access_token: 'at-TEST-online' } });
    await expect(find({ credentials: token })).rejects.toMatchObject(code('NOT_FOUND'));
    expect(JSON.stringify(lab.requests)).not.toContain('at-TEST');
  });

  it('errors, traces and explanations hold no secret and no mailbox name in URLs', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', accepts: 'Basic x', soap: () => ewsSettings('x.example') }));
    const error = await failure();
    const printed = [inspect(error, { depth: 9 }), JSON.stringify(error), error.explain(), String(error)].join('\n');
    expect(printed).not.toMatch(/secret-TEST|Basic Q/);
    expect(error.trace.some(({ url }) => url?.includes('ada'))).toBe(false);
    expect(error.trace.some(({ url }) => url?.includes('%40corp.example'))).toBe(true);
  });
});
