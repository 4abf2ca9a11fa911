import net from 'node:net';
import {
  AutodiscoverCache,
  AutodiscoverError,
  closeConnections,
  type DiscoverOptions,
  discover,
  discoverTenant,
  UsernamePasswordCredentials,
} from '@tokenry/autodiscover';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { proxyChoice } from '../src/http/proxies.js';
import { ewsSettings } from './fixtures/answers.js';
import { exchange, redirectTo } from './lab/exchange.js';
import { type Lab, startLab } from './lab/lab.js';
import { startProxy, type TestProxy } from './lab/proxy.js';

let lab: Lab;
let proxy: TestProxy;
let ports: { secure: number; plain: number };
beforeAll(async () => {
  lab = await startLab();
  const { connectTo } = lab.options();
  const portOf = (port: number) => connectTo?.({ hostname: 'x', port }).port ?? 0;
  ports = { secure: portOf(443), plain: portOf(80) };
});
afterEach(async () => {
  closeConnections();
  vi.unstubAllEnvs();
  await proxy?.close();
  lab.reset();
});
afterAll(() => lab.close());

const ADA = 'ada@corp.example';
const HOST = 'autodiscover.corp.example';
const credentials = new UsernamePasswordCredentials('CORP\\ada', 'secret-TEST-password');
const soap = (address: string) => ewsSettings('mail.corp.example', address);
/** Nothing in these options leads to the lab but the proxy. */
const options = (more: DiscoverOptions = {}): DiscoverOptions => {
  const { connectTo: _connectTo, lookup: _lookup, ...rest } = lab.options();
  return { ...rest, askMicrosoft: false, credentials, allowBasic: true, ...more };
};
const lines = () => proxy.requests.map(({ line }) => line);

describe('a forward proxy', () => {
  it('gets tunnels to names; certificates, trust rules and EWS hold behind it as before', async () => {
    proxy = await startProxy(ports);
    lab.host(HOST, exchange({ offers: 'Basic', soap }));
    lab.host('mail.corp.example', ({ headers }) =>
      headers.authorization ? { body: 'welcome' } : { status: 401, headers: { 'www-authenticate': 'Basic' } },
    );
    const found = await discover(ADA, options({ proxy: proxy.url }));
    const answer = await found.services.ews?.fetch(found.services.ews.externalUrl ?? '', { method: 'POST', body: '<x/>' });
    expect(await answer?.text()).toBe('welcome');
    expect(new Set(lines())).toEqual(new Set([`CONNECT ${HOST}:443`, 'CONNECT mail.corp.example:443']));
    expect(lab.dns.queries.filter(({ type }) => type !== 'srv')).toEqual([]);
    lab.host(HOST, exchange({ offers: 'Basic', soap }), { certificate: 'other.example' });
    closeConnections();
    const error = await discover('bob@corp.example', options({ proxy: proxy.url })).catch((thrown: unknown) => thrown);
    expect(AutodiscoverError.is(error) && error.trace.find(({ url }) => url?.includes(HOST))?.outcome).toBe('tls-failed');
  });

  it('is asked for the plain-HTTP step in full, without any credential of the mailbox', async () => {
    proxy = await startProxy(ports);
    lab.host(HOST, undefined, { plain: redirectTo('https://exchange.corp.example/autodiscover/autodiscover.svc') });
    lab.host('exchange.corp.example', exchange({ offers: 'Basic', soap }));
    const found = await discover(ADA, options({ proxy: { url: proxy.url, username: 'u@x', password: 'secret-TEST-proxy' } }));
    expect(found.endpoint.url).toContain('exchange.corp.example');
    expect(lines()).toContain(`GET http://${HOST}/autodiscover/autodiscover.xml`);
    const expected = `Basic ${Buffer.from('u@x:secret-TEST-proxy').toString('base64')}`;
    expect(new Set(proxy.requests.map(({ authorization }) => authorization))).toEqual(new Set([expected]));
    // The proxy's credentials stay with the proxy.
    expect(JSON.stringify(lab.requests)).not.toContain(expected);
    expect(JSON.stringify(found)).not.toContain('secret-TEST');
  });

  it('that refuses, or is not there, ends steps and is named in the trace', async () => {
    proxy = await startProxy(ports, 407);
    for (const [url, detail] of [
      [proxy.url, 'the proxy opened no tunnel: HTTP 407'],
      ['http://127.0.0.1:1', 'proxy: ECONNREFUSED'],
    ] as const) {
      const error = await discover(ADA, options({ proxy: url, cache: false })).catch((thrown: unknown) => thrown);
      expect(AutodiscoverError.is(error) && error.trace[0]).toMatchObject({ outcome: 'unreachable', detail });
    }
  });

  it('is told addresses instead of names where private networks are blocked: what was checked is what is connected to', async () => {
    proxy = await startProxy(ports);
    lab.host(HOST, exchange({ offers: 'Basic', soap }));
    lab.dns.set('corp.example', { a: ['10.0.0.1'] });
    const inside = { proxy: proxy.url, lookup: lab.lookup, blockPrivateNetworks: true, cache: false } as const;
    expect((await discover(ADA, options({ ...inside, allowLoopback: true }))).address).toBe(ADA);
    expect(lines()).toEqual(['CONNECT 127.0.0.1:443']);
    const error = await discover(ADA, options(inside)).catch((thrown: unknown) => thrown);
    expect(lines()).toEqual(['CONNECT 127.0.0.1:443']);
    expect(
      AutodiscoverError.is(error) && new Set(error.trace.filter(({ step }) => step !== 'srv').map(({ outcome }) => outcome)),
    ).toEqual(new Set(['private-address']));
  });

  it('comes from the environment, unless NO_PROXY, the options or a way of one’s own say otherwise', async () => {
    proxy = await startProxy(ports);
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', 'login.microsoftonline.com');
    lab.host(HOST, exchange({ offers: 'Basic', soap }));
    const cache = new AutodiscoverCache({ memoryOnly: true });
    expect((await discover(ADA, options({ cache }))).address).toBe(ADA);
    expect(lines()).toEqual([`CONNECT ${HOST}:443`]);
    await expect(discover('bob@corp.example', options({ proxy: false, stepTimeoutMs: 500 }))).rejects.toThrow(AutodiscoverError);
    await discover('eve@corp.example', lab.options({ askMicrosoft: false, credentials, allowBasic: true }));
    expect(lines()).toEqual([`CONNECT ${HOST}:443`]);
    vi.stubEnv('NO_PROXY', '');
    closeConnections();
    const { ca } = lab;
    await expect(discoverTenant('corp.example', { ca })).rejects.toMatchObject({ code: 'TOKENRY_AUTODISCOVER_SERVER_ERROR' });
    expect(lines()).toContain('CONNECT login.microsoftonline.com:443');
  });

  it('that is silent is left when the discovery ends, and keeps no process alive', async () => {
    proxy = await startProxy(ports);
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(silent.address() as net.AddressInfo).port}`;
      const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const running = discover(ADA, options({ proxy: url, timeoutMs: 300, cache: false }));
      await expect(running).rejects.toMatchObject({ code: 'TOKENRY_AUTODISCOVER_TIMEOUT' });
      // The server's end of the connection is this process too; the client's end must not count.
      const open = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length - before;
      expect(open).toBeLessThanOrEqual(
        await new Promise<number>((resolve) => silent.getConnections((_error, count) => resolve(count))),
      );
    } finally {
      silent.close();
      closeConnections();
    }
  });

  it('that is none is refused, unquoted', async () => {
    await expect(discover(ADA, options({ proxy: 'socks5://u:secret-TEST@x' }))).rejects.toThrow(
      'proxy must be the http or https URL of a proxy, such as "http://proxy.example:8080".',
    );
  });
});

it.each([
  ['*', false],
  ['corp.example', false],
  ['.corp.example', false],
  ['*.corp.example', false],
  ['AUTODISCOVER.corp.example', false],
  ['a.example corp.example', false],
  ['corp.example:443', false],
  ['corp.example:8443', true],
  ['notcorp.example', true],
  ['orp.example', true],
  ['', true],
])('NO_PROXY=%j for autodiscover.corp.example: proxied %s', (noProxy, proxied) => {
  vi.stubEnv('HTTPS_PROXY', 'http://proxy.example:3128');
  vi.stubEnv('NO_PROXY', noProxy);
  vi.stubEnv('no_proxy', undefined);
  const choose = proxyChoice(undefined);
  expect(choose({ secure: true, hostname: HOST, port: 443 })?.href).toBe(proxied ? 'http://proxy.example:3128/' : undefined);
  expect(choose({ secure: false, hostname: HOST, port: 80 })).toBeUndefined();
  expect(choose({ secure: true, hostname: '::1', port: 443 })).toBeUndefined();
  vi.unstubAllEnvs();
});
