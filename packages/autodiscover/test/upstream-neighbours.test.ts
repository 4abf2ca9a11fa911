import {
  AutodiscoverError,
  bearerAuth,
  type DiscoverOptions,
  discover,
  OAuth2AuthorizationCodeCredentials,
  OAuth2Credentials,
  UsernamePasswordCredentials,
} from '@tokenry/autodiscover';
import { startDevAuthority } from '@tokenry/dev-authority';
import { describe, expect, it } from 'vitest';
import { parseMailAddress } from '../src/address/mail-address.js';
import { ADA, code, failure, find, HOST, lab, options, SVC, soap, useLab } from './corp-example.js';
import { exchange, redirectTo, status } from './lab/exchange.js';
import type { Handler } from './lab/lab.js';

useLab();

describe('upstream transport cases (4.4): what a server asks for', () => {
  it('4.4.1 a server that asks for nothing gets nothing', async () => {
    lab.host(HOST, exchange({ soap }));
    expect((await find()).authSchemes).toEqual([]);
    expect(lab.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it.each<[string, Handler]>([
    ['302 to another host', redirectTo('https://contoso.com/')],
    ['302 to itself', redirectTo(`https://${HOST}${SVC}`)],
    ['501', status(501)],
    ['401 without a header', status(401)],
    ['401 with an unknown scheme', status(401, { 'www-authenticate': 'FANCYAUTH' })],
  ])('4.4.2 %s is no offer: no credential goes there', async (_name, handler) => {
    lab.host(HOST, handler);
    await failure();
    expect(lab.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it.each([
    'Basic',
    'Basic realm=""',
    'Basic realm="some realm"',
    'Digest realm="a, b", nonce="c", Basic realm="d"',
    'NTLM, Basic',
  ])('4.4.3 %s offers Basic', async (offers) => {
    lab.host(HOST, exchange({ offers, soap }));
    expect((await find()).services.ews?.externalUrl).toBe('https://mail.corp.example/EWS/Exchange.asmx');
  });

  it.each(['Digest realm="Basic realm", nonce="x, Basic y"', 'NTLM', 'Negotiate', 'Bearer realm="Basic"'])(
    '4.4.4 %s does not, and the caller’s scheme is not exchanged for what is offered',
    async (offers) => {
      lab.host(HOST, exchange({ offers, soap }));
      const { trace } = await failure();
      expect(trace.map(({ outcome }) => outcome)).toContain('scheme-not-offered');
      expect(lab.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    },
  );
});

describe('upstream util cases (4.4): redirects and broken exchanges', () => {
  it.each([
    ['https://exchange.corp.example/a?b=c', 'https://exchange.corp.example/a?b=c'],
    ['/example', `https://${HOST}/example`],
    ['example', `https://${HOST}/autodiscover/example`],
    ['?x', `https://${HOST}/autodiscover/autodiscover.xml?x`],
    ['//exchange.corp.example', 'https://exchange.corp.example/'],
  ])('4.4.5 Location %s leads to %s', async (location, target) => {
    lab.host(HOST, ({ path }) =>
      path === '/autodiscover/autodiscover.xml' ? { status: 302, headers: { location } } : { status: 404 },
    );
    lab.host('exchange.corp.example', status(404));
    const { trace } = await failure();
    expect(trace.find(({ step }) => step === 'redirect')).toMatchObject({ url: target, outcome: 'ok' });
  });

  it('4.4.6 302 without Location, or with one that is no URL, ends the visit', async () => {
    for (const location of [undefined, 'https://[']) {
      lab.host(HOST, status(302, location === undefined ? {} : { location }));
      const { trace } = await failure({ cache: false });
      expect(trace.find(({ step }) => step === 'redirect')).toMatchObject({ outcome: 'not-found' });
    }
  });

  it('4.4.7 an address without a domain is refused, without being repeated in full', () => {
    for (const address of ['', 'ada', 'ada@', '@corp.example', 'ada@corp@example'])
      expect(() => parseMailAddress(address)).toThrow(AutodiscoverError);
  });

  const cut: Handler = (_request, response) => {
    response.socket?.destroy();
    return new Promise(() => undefined);
  };
  const half: Handler = (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('<Envelope>');
    setTimeout(() => response.socket?.destroy(), 20);
    return new Promise(() => undefined);
  };
  const noise: Handler = (_request, response) => {
    response.socket?.end('noise\r\n\r\n');
    return new Promise(() => undefined);
  };
  it.each<[string, () => void, string, DiscoverOptions?]>([
    ['an unknown name', () => undefined, 'dns-failed'],
    ['a refused connection', () => lab.host(HOST, cut), 'unreachable', { connectTo: () => ({ port: 1 }) }],
    ['a connection that is cut', () => lab.host(HOST, cut), 'unreachable'],
    ['half an answer', () => lab.host(HOST, half), 'unreachable'],
    ['something that is not HTTP', () => lab.host(HOST, noise), 'bad-response'],
    ['a certificate for another name', () => lab.host(HOST, cut, { certificate: 'other.example' }), 'tls-failed'],
    ['silence', () => lab.host(HOST, () => new Promise(() => undefined)), 'timeout', { stepTimeoutMs: 300 }],
  ])('4.4.8 %s ends its step alone, and is told apart', async (_name, prepare, outcome, more = {}) => {
    prepare();
    const { trace, code: found } = await failure(more);
    expect(trace.filter(({ url }) => url?.startsWith(`https://${HOST}/`)).map((step) => step.outcome)).toContain(outcome);
    expect(trace.at(-1)?.step).toBe('srv');
    expect(found).toBe('TOKENRY_AUTODISCOVER_NOT_FOUND');
  });

  it('4.4.9 other statuses end the visit; the front end’s own error code is in the trace; XML with status 500 is read', async () => {
    const behind =
      (inner: Handler): Handler =>
      (request, response) =>
        request.headers.authorization === undefined
          ? { status: 401, headers: { 'www-authenticate': 'Basic' } }
          : inner(request, response);
    lab.host(HOST, behind(status(999, { 'x-caserrorcode': 'AAARGH!' })));
    const { trace } = await failure({ cache: false });
    expect(trace.find(({ step }) => step === 'soap')).toMatchObject({ status: 999, outcome: 'server-error', detail: 'AAARGH!' });
    const fault =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>FOO</faultcode><faultstring>BAR</faultstring></s:Fault></s:Body></s:Envelope>';
    lab.host(
      HOST,
      behind(() => ({ status: 500, headers: { 'content-type': 'text/xml' }, body: fault })),
    );
    expect((await failure({ cache: false })).trace.find(({ step }) => step === 'soap')?.detail).toContain('BAR');
  });
});

describe('upstream configuration cases (4.4): options and back-off', () => {
  it.each<[object, string]>([
    [{ credentials: 'foo' }, '"credentials" must be credentials such as new UsernamePasswordCredentials(…).'],
    [{ account: {} }, '"account" must be an Account, or anything with getAccessToken().'],
    [{ authScheme: 'NTLM' }, '"authScheme" must be a scheme with accepts() and authorize().'],
    [{ cache: true }, '"cache" must be an AutodiscoverCache, or false.'],
    [{ allowBasic: 'yes' }, '"allowBasic" must be true or false.'],
    [{ onRedirect: true }, '"onRedirect" must be a function.'],
    [{ trustedHosts: 'mail.hoster.example' }, '"trustedHosts" must be a list of host names.'],
    [{ endpoint: 'foo' }, '"endpoint" must be an https URL'],
    [{ accessType: 'foo' }, '"accessType" must be one of impersonation, delegate'],
    [{ timeoutMs: 'foo' }, '"timeoutMs" must be a positive number of milliseconds.'],
    [{ server: 'foo' }, 'unknown option "server"'],
  ])('4.4.10 %j is refused by name', async (wrong, text) => {
    await expect(discover(ADA, lab.options(wrong))).rejects.toThrow(text);
    expect(lab.requests).toEqual([]);
  });

  it('4.4.11 everything can be settled beforehand: then no other host is asked', async () => {
    lab.host('mail.hoster.example', exchange({ offers: 'Basic', soap }));
    expect((await find({ endpoint: `https://mail.hoster.example${SVC}`, cache: false })).endpoint.url).toBe(
      `https://mail.hoster.example${SVC}`,
    );
    const others = lab.requests.filter(
      ({ host, headers }) => host !== 'mail.hoster.example' && headers.authorization !== undefined,
    );
    expect(others).toEqual([]);
  });

  /** The server is busy at the first signed-in request; what was waited is told by the clock that did the waiting. */
  async function waitFor(retryAfter: string | undefined): Promise<readonly number[]> {
    const waits: number[] = [];
    const now = Date.parse('2026-11-21T00:00:00Z');
    const clock = { now: () => now, monotonic: () => 0, sleep: async (ms: number) => void waits.push(ms) };
    let calls = 0;
    const busy = { status: 503, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } };
    lab.host(HOST, exchange({ offers: 'Basic', soap: (address) => (++calls === 1 ? busy : soap(address)) }));
    expect((await find({ clock, cache: false })).address).toBe(ADA);
    return waits;
  }
  it.each([
    ['nothing', undefined, 500],
    ['no time at all', '0', 0],
    ['two seconds', '2', 2000],
    ['a date', 'Sat, 21 Nov 2026 00:00:03 GMT', 3000],
    ['a date that has passed', 'Fri, 20 Nov 2026 00:00:00 GMT', 0],
    ['an hour', '3600', 5000],
    ['nonsense', 'soon', 500],
    ['less than nothing', '-1', 500],
  ])('4.4.12 a busy server that asks for %s is left alone for a while, and not for long', async (_name, retryAfter, waited) => {
    expect(await waitFor(retryAfter)).toEqual([waited]);
  });

  it('4.4.13 a server that stays busy says how long; it is asked twice, not more', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', soap: () => ({ status: 503, headers: { 'retry-after': '1' } }) }));
    const clock = { now: Date.now, monotonic: () => 0, sleep: async () => undefined };
    expect(await failure({ clock })).toMatchObject({ ...code('SERVER_BUSY'), retryable: true, retryAfterMs: 1000 });
    expect(lab.to(HOST).filter(({ path, headers }) => path === SVC && headers.authorization)).toHaveLength(2);
  });
});

describe('upstream protocol cases (4.4): connections and tokens', () => {
  it('4.4.14 discoveries over the same network share a connection; credentials share none of their secrets', async () => {
    lab.host(HOST, exchange({ offers: 'Basic', soap }));
    const same = options();
    await discover(ADA, same);
    await discover('bob@corp.example', { ...same, credentials: new UsernamePasswordCredentials('CORP\\bob', 'secret-TEST-bob') });
    expect(await lab.connections()).toBe(1);
    const sent = lab.requests.flatMap(({ headers, body }) =>
      headers.authorization ? [[headers.authorization, body.includes('bob@')]] : [],
    );
    expect(new Set(sent.map(([authorization]) => authorization)).size).toBe(2);
    for (const [authorization, isBob] of sent)
      expect(Buffer.from(String(authorization).slice(6), 'base64').toString().startsWith('CORP\\bob')).toBe(isBob);
  });

  it.each([401, 501])('4.4.15 a server that answers %i and nothing else is no server', async (answer) => {
    lab.host(HOST, status(answer));
    expect((await failure()).code).toBe('TOKENRY_AUTODISCOVER_NOT_FOUND');
  });

  it('4.4.16 a client that the authority does not know ends the discovery with the authority’s error', async () => {
    const authority = await startDevAuthority({ clients: [{ clientId: 'known' }], unknownClients: 'refuse' });
    try {
      const { cloud, ca, tenantId } = authority.accountOptions;
      const app = new OAuth2Credentials({
        clientId: 'bogus',
        clientSecret: 'secret-TEST-client',
        cloud,
        tenantId,
        accountOptions: { ca },
      });
      const authScheme = bearerAuth(app, { scopes: [`https://${HOST}/.default`] });
      lab.host(HOST, exchange({ offers: 'Bearer', soap }));
      const error = await discover(ADA, lab.options({ askMicrosoft: false, authScheme })).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).toContain('AADSTS700016');
      expect(String(error)).not.toContain('secret-TEST');
    } finally {
      await authority.close();
    }
  });

  it('4.4.17 a token that exists already is used, and replaced by refresh() after a 401', async () => {
    class Elsewhere extends OAuth2AuthorizationCodeCredentials {
      override async refresh() {
        this.accessToken = { access_token: 'at-TEST-new' };
      }
    }
    const held = new Elsewhere({ accessToken: { access_token: 'at-TEST-old' } });
    const source = {
      getAccessToken: async (request?: { forceRefresh?: boolean }) => {
        if (request?.forceRefresh) await held.refresh();
        return held.getAccessToken();
      },
    };
    const authScheme = bearerAuth(source, { scopes: [`https://${HOST}/.default`] });
    lab.host(HOST, exchange({ offers: 'Bearer', accepts: 'Bearer at-TEST-new', soap }));
    expect((await discover(ADA, lab.options({ askMicrosoft: false, authScheme }))).address).toBe(ADA);
  });
});
