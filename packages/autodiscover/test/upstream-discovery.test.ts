import { inspect } from 'node:util';
import {
  AutodiscoverCache,
  AutodiscoverError,
  AutodiscoverProtocol,
  basicAuth,
  bearerAuth,
  closeConnections,
} from '@tokenry/autodiscover';
import type { RecordStore } from '@tokenry/core';
import { describe, expect, it } from 'vitest';
import { orderSrv } from '../src/dns/srv.js';
import {
  ADA,
  BASIC,
  code,
  credentials,
  EWS,
  failure,
  find,
  HOST,
  lab,
  posts,
  SVC,
  server,
  soap,
  useLab,
} from './corp-example.js';
import { ewsSettings } from './fixtures/answers.js';
import { exchange, redirectTo, status, webSite } from './lab/exchange.js';

useLab();

const XML = '/autodiscover/autodiscover.xml';

describe('upstream discovery cases (4.2), on real servers', () => {
  it('4.2.1 strings, inspect and JSON of caches and protocols never fail', () => {
    const protocol = new AutodiscoverProtocol({
      endpoint: `https://mail.corp.example${SVC}`,
      authScheme: basicAuth(credentials),
    });
    expect(String(protocol)).toBe(`AutodiscoverProtocol(https://mail.corp.example${SVC})`);
    expect(JSON.stringify(protocol)).toBe(`{"endpoint":"https://mail.corp.example${SVC}"}`);
    expect(inspect(protocol, { depth: 9, showHidden: true })).not.toContain('secret-TEST');
    expect(String(new AutodiscoverCache({ memoryOnly: true }))).toBe('AutodiscoverCache(0)');
  });

  it("4.2.2 a full run with an empty cache finds the mailbox's own address and its server", async () => {
    lab.host(HOST, server());
    const found = await find();
    expect(found).toMatchObject({
      address: ADA,
      redirectedFrom: [],
      location: 'on-premises',
      mailboxVerified: true,
      source: 'network',
      endpoint: { url: `https://autodiscover.corp.example${SVC}`, kind: 'soap' },
      authSchemes: ['Basic'],
      serverVersion: { major: 15, minor: 2, name: 'Exchange2015' },
    });
    expect(found.services.ews).toMatchObject({ externalUrl: EWS, schemas: ['Exchange2010', 'Exchange2016'] });
    expect(found.deprecations).toEqual([]);
  });

  it('4.2.3 an unknown mailbox is reported as such, with an empty and with a primed cache', async () => {
    lab.host(
      HOST,
      server((address) => (address === ADA ? soap(address) : { code: 'InvalidUser', message: `Invalid user '${address}'.` })),
    );
    const cache = new AutodiscoverCache({ memoryOnly: true });
    await expect(find({ cache }, 'nobody@corp.example')).rejects.toMatchObject({
      ...code('MAILBOX_NOT_FOUND'),
      serverCode: 'InvalidUser',
    });
    await find({ cache });
    await expect(find({ cache, refresh: true }, 'nobody@corp.example')).rejects.toMatchObject(code('MAILBOX_NOT_FOUND'));
  });

  it('4.2.4 a wrong password ends in AUTH_FAILED once every server has refused it', async () => {
    lab.host(HOST, exchange({ offers: 'Basic realm="corp"', accepts: 'Basic no', soap: () => ewsSettings('x.example') }));
    lab.host('corp.example', webSite);
    await expect(find()).rejects.toMatchObject(code('AUTH_FAILED'));
  });

  it('4.2.5 a delegate token of an account is taken, and used for EWS too', async () => {
    const account = { getAccessToken: async () => ({ token: 'at-TEST-delegate' }) };
    const scheme = bearerAuth(account, {
      scopes: ['https://mail.corp.example/.default'],
      audienceHosts: [HOST],
    });
    lab.host(
      HOST,
      exchange({
        offers: 'Bearer authorization_uri="https://login.corp.example/"',
        accepts: 'Bearer at-TEST-delegate',
        soap,
      }),
    );
    lab.host('mail.corp.example', ({ headers }) => ({ body: `${headers.authorization} ${headers['x-anchormailbox']}` }));
    const found = await find({ credentials: undefined, authScheme: scheme });
    const answer = await found.services.ews?.fetch(EWS, { method: 'POST', body: '<x/>' });
    expect(await answer?.text()).toBe('Bearer at-TEST-delegate ada@corp.example');
  });

  it('4.2.6 InternalServerError for the whole request is a typed error that keeps its words', async () => {
    lab.host(HOST, (request) => {
      if (request.headers.authorization !== BASIC) return { status: 401, headers: { 'www-authenticate': 'Basic' } };
      const body =
        request.path === SVC
          ? '<Envelope><Body><GetUserSettingsResponseMessage><Response><ErrorCode>InternalServerError</ErrorCode><ErrorMessage>An internal error</ErrorMessage></Response></GetUserSettingsResponseMessage></Body></Envelope>'
          : '';
      return { body };
    });
    const error = await failure();
    expect(error).toMatchObject({ ...code('SERVER_ERROR'), serverCode: 'InternalServerError' });
    expect(error.explain()).toContain('InternalServerError: An internal error');
  });

  it('4.2.7 connections can be closed at any time; later discoveries open new ones', async () => {
    lab.host(HOST, server());
    await find();
    closeConnections();
    closeConnections();
    expect((await find()).address).toBe(ADA);
  });

  it('4.2.8 a second run asks nobody, and a poisoned endpoint is replaced', async () => {
    lab.host(HOST, server());
    const cache = new AutodiscoverCache({ memoryOnly: true });
    await find({ cache });
    const before = lab.requests.length;
    expect((await find({ cache })).source).toBe('memory');
    expect(lab.requests.length).toBe(before);
    // Another mailbox of the domain goes straight to the endpoint that is known.
    lab.host('corp.example', server());
    await find({ cache }, 'bob@corp.example');
    expect(lab.to('corp.example')).toHaveLength(0);
    lab.host(HOST, status(404));
    expect((await find({ cache }, 'eve@corp.example')).endpoint.url).toBe(`https://corp.example${SVC}`);
    const seen = posts();
    await find({ cache }, 'zoe@corp.example');
    expect(posts()).toBe(seen);
  });

  it('4.2.10 two clients share one cache entry, and their EWS client is signed in', async () => {
    lab.host(HOST, server());
    lab.host('mail.corp.example', ({ headers }) =>
      headers.authorization === BASIC
        ? { body: 'welcome' }
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="ews"' } },
    );
    const cache = new AutodiscoverCache({ memoryOnly: true });
    const [one, two] = [await find({ cache }), await find({ cache })];
    expect(cache.size).toBe(1);
    expect([one.source, two.source]).toEqual(['network', 'memory']);
    expect(await (await two.services.ews?.fetch(EWS, { method: 'POST', body: '<x/>' }))?.text()).toBe('welcome');
    await cache.clear();
    expect(cache.size).toBe(0);
  });

  it('4.2.11 the address that the server calls its own is adopted', async () => {
    lab.host(
      HOST,
      server(() => ewsSettings('mail.corp.example', 'ada.byron@corp.example')),
    );
    expect((await find()).address).toBe('ada.byron@corp.example');
  });

  it('4.2.12 an address redirect within the domain is followed, with the original user name', async () => {
    lab.host(
      HOST,
      server((address) => (address === ADA ? { code: 'RedirectAddress', redirectTarget: 'ada2@corp.example' } : soap(address))),
    );
    expect(await find()).toMatchObject({
      address: 'ada2@corp.example',
      redirectedFrom: [ADA],
      services: { ews: { externalUrl: EWS } },
    });
    expect(new Set(lab.requests.map(({ headers }) => headers.authorization).filter(Boolean))).toEqual(new Set([BASIC]));
  });

  it('4.2.13 an endless address redirect is circular, with an empty and with a primed cache', async () => {
    const cache = new AutodiscoverCache({ memoryOnly: true });
    lab.host(HOST, server());
    await find({ cache }, 'bob@corp.example');
    lab.host(
      HOST,
      server((address) => ({
        code: 'RedirectAddress',
        redirectTarget: address === ADA ? 'other@corp.example' : 'ADA@CORP.example',
      })),
    );
    await expect(find({ cache })).rejects.toMatchObject(code('CIRCULAR_REDIRECT'));
    await expect(find()).rejects.toMatchObject(code('CIRCULAR_REDIRECT'));
  });

  it('4.2.14 an address redirect to another domain goes on there once somebody allows it', async () => {
    lab.host(
      HOST,
      server(() => ({ code: 'RedirectAddress', redirectTarget: 'ada@partner.example' })),
    );
    lab.host(
      'autodiscover.partner.example',
      server((address) => ewsSettings('mail.partner.example', address)),
    );
    await expect(find()).rejects.toMatchObject(code('REDIRECT_BLOCKED'));
    expect(lab.to('autodiscover.partner.example')).toHaveLength(0);
    const asked: string[] = [];
    const found = await find({ onRedirect: ({ kind, host }) => asked.push(`${kind} ${host}`) > 0 });
    expect(found.address).toBe('ada@partner.example');
    expect(asked).toEqual(['address partner.example']);
  });

  it('4.2.15 an HTTP redirect to another path is followed by asking there anew', async () => {
    lab.host(HOST, redirectTo('https://exchange.corp.example/some/path', 301));
    lab.host('exchange.corp.example', ({ path, method, headers, body }, response) => {
      const request = { secure: true, host: '', method, path: path === '/some/path' ? SVC : path, headers, body };
      return server()(request, response);
    });
    expect((await find()).endpoint.url).toBe('https://exchange.corp.example/some/path');
  });

  it('4.2.16 where the first host fails, the domain itself is asked', async () => {
    lab.host(HOST, status(501));
    lab.host('corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://corp.example${SVC}`);
  });

  it('4.2.17 a plain-HTTP redirect to relative junk leads nowhere', async () => {
    lab.host(HOST, status(501), { plain: redirectTo('relative-junk', 301) });
    lab.host('corp.example', status(501));
    await expect(find()).rejects.toMatchObject(code('REDIRECT_BLOCKED'));
  });

  it('4.2.18 a plain-HTTP answer without a redirect leads nowhere', async () => {
    lab.host(HOST, status(501), { plain: status(200) });
    lab.host('corp.example', status(501));
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
  });

  const srv = (name: string, more: object = {}) => ({ name, port: 443, priority: 1, weight: 1, ...more });
  it('4.2.19 an SRV host that fails ends the search', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', { srv: [srv('exchange.corp.example')] });
    lab.host('exchange.corp.example', status(501));
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
    expect(lab.to('exchange.corp.example').length).toBeGreaterThan(0);
  });

  it('4.2.20 an SRV host that answers is the last resort that works', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', { srv: [srv('exchange.corp.example')] });
    lab.host('exchange.corp.example', server());
    expect(await find()).toMatchObject({
      address: ADA,
      endpoint: { url: `https://exchange.corp.example${SVC}` },
      services: { ews: { externalUrl: EWS } },
    });
  });

  it('4.2.21 an SRV host that does not resolve ends the search', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', { srv: [srv('nowhere.corp.example')] });
    const error = await failure();
    expect(error).toMatchObject(code('NOT_FOUND'));
    expect(error.trace.at(-1)).toMatchObject({
      step: 'probe',
      outcome: 'dns-failed',
      url: `https://nowhere.corp.example${XML}`,
    });
  });

  it.each([
    ['4.2.22 a SOAP redirect to a host that does not resolve', () => undefined],
    ['4.2.23 a SOAP redirect to a host that fails', () => lab.host('exchange.corp.example', status(501))],
  ])('%s ends the search', async (_name, prepare) => {
    prepare();
    lab.host(
      HOST,
      server(() => ({ code: 'RedirectUrl', redirectTarget: `https://exchange.corp.example${SVC}` })),
    );
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
  });

  it('4.2.24 a SOAP redirect to a server that answers is followed', async () => {
    lab.host(
      HOST,
      server(() => ({ code: 'RedirectUrl', redirectTarget: `https://exchange.corp.example${SVC}` })),
    );
    lab.host('exchange.corp.example', server());
    expect((await find()).endpoint.url).toBe(`https://exchange.corp.example${SVC}`);
  });

  it('4.2.26 SRV records are plain values: equal records are told to be equal, and repeated ones are tried once', async () => {
    const records = [srv('exchange.corp.example'), srv('exchange.corp.example')];
    lab.dns.set('_autodiscover._tcp.corp.example', { srv: records });
    lab.host('exchange.corp.example', status(501));
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
    const probes = lab.to('exchange.corp.example').filter(({ method }) => method === 'GET');
    expect(probes).toHaveLength(1);
    const [one, two] = orderSrv(records);
    expect(one).toEqual(two);
  });

  it('4.2.28 an unknown error code of tomorrow is no mailbox error; setting errors stay with their settings', async () => {
    lab.host(
      HOST,
      server(() => ({ code: 'CodeOfTomorrow', message: 'FOO' })),
    );
    await expect(find()).rejects.toMatchObject({ ...code('SERVER_ERROR'), serverCode: 'CodeOfTomorrow' });
    lab.host(
      HOST,
      server((address) => ({ ...soap(address), settingErrors: [['InvalidSetting', 'NewThing']] })),
    );
    expect((await find()).settingErrors).toEqual([{ setting: 'NewThing', code: 'InvalidSetting', message: 'FOO' }]);
  });

  it('4.2.29 getting rid of a cache or of connections never throws, whatever state they are in', async () => {
    const broken: RecordStore = {
      read: () => Promise.reject(new Error('closed')),
      write: () => Promise.reject(new Error('closed')),
      remove: () => Promise.reject(new Error('closed')),
      list: () => {
        throw new Error('closed');
      },
    };
    lab.host(HOST, (_request, response) => {
      response.socket?.destroy();
      return new Promise(() => undefined);
    });
    const cache = new AutodiscoverCache({ records: broken });
    await expect(find({ cache })).rejects.toMatchObject(code('NOT_FOUND'));
    closeConnections();
    await expect(cache.clear()).resolves.toBeUndefined();
    await expect(cache.clear()).resolves.toBeUndefined();
  });

  it('4.2.32 what the caller settled stays settled, and the schemes seen are always in the result', async () => {
    lab.host(HOST, server());
    lab.host('mail.corp.example', () => new Promise(() => undefined));
    const found = await find({ timeoutMs: 1500 });
    expect(found.authSchemes).toEqual(['Basic']);
    // The deadline of the discovery is that of calls to its EWS server too.
    await expect(found.services.ews?.fetch(EWS, { method: 'POST', body: '<x/>' })).rejects.toThrow('within 1500 ms');
    lab.host('autodiscover.open.example', exchange({ soap: (address) => ewsSettings('mail.open.example', address) }));
    expect((await find({ credentials: undefined }, 'ada@open.example')).authSchemes).toEqual([]);
  });

  it('4.2.31 a redirect is refused when visited, over http, without address; any answer of an https host is worth a look', async () => {
    for (const location of [
      `https://autodiscover.corp.example${SVC}`,
      `http://exchange.corp.example${SVC}`,
      'https://nowhere.corp.example/x',
    ]) {
      lab.reset();
      lab.host(HOST, redirectTo(location));
      await expect(find()).rejects.toBeInstanceOf(AutodiscoverError);
      expect(lab.requests.filter(({ secure, method }) => !secure && method !== 'GET')).toHaveLength(0);
    }
    lab.reset();
    lab.host(HOST, redirectTo(`https://exchange.corp.example${SVC}`));
    lab.host('exchange.corp.example', (request, response) =>
      request.method === 'GET' ? { status: 501 } : server()(request, response),
    );
    expect((await find()).endpoint.url).toBe(`https://exchange.corp.example${SVC}`);
  });

  it('several mailboxes are asked about in one request', async () => {
    lab.host(
      HOST,
      server((a) => (a === ADA ? soap(a) : { code: 'InvalidUser', message: 'No.' })),
    );
    const { cache: _cache, stepTimeoutMs: _step, ...network } = lab.options();
    const protocol = new AutodiscoverProtocol({
      ...network,
      endpoint: `https://autodiscover.corp.example${SVC}`,
      authScheme: basicAuth(credentials),
    });
    const { users } = await protocol.getUserSettings([ADA, 'bob@corp.example'], { settings: ['ExternalEwsUrl'] });
    expect(users.map((user) => [user.code, user.settings.known.ExternalEwsUrl])).toEqual([
      ['NoError', EWS],
      ['InvalidUser', undefined],
    ]);
    expect(posts()).toBe(1);
  });
});
