import { createResolver } from '@tokenry/autodiscover';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderSrv } from '../src/dns/srv.js';
import { startDnsServer, type TestDns } from './lab/dns-server.js';

const record = (name: string, more: object = {}) => ({ name, port: 443, priority: 1, weight: 1, ...more });
const names = (records: readonly { readonly name: string }[]) => records.map(({ name }) => name);

describe('SRV records by RFC 2782 (4.2.25-27)', () => {
  let dns: TestDns;
  beforeAll(async () => {
    dns = await startDnsServer();
  });
  afterAll(() => dns.close());

  it('4.2.25 a domain or record that does not exist gives an error code, an existing one its fields', async () => {
    const resolver = createResolver({ servers: [dns.server], timeoutMs: 500 });
    await expect(resolver.resolveSrv('_autodiscover._tcp.corp.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    dns.set('_autodiscover._tcp.corp.example', { a: ['127.0.0.1'] });
    await expect(resolver.resolveSrv('_autodiscover._tcp.corp.example')).rejects.toMatchObject({ code: 'ENODATA' });
    dns.set('_autodiscover._tcp.corp.example', { srv: [{ name: 'example.com', port: 443, priority: 1, weight: 2 }] });
    expect(await resolver.resolveSrv('_autodiscover._tcp.corp.example')).toMatchObject([
      { name: 'example.com', port: 443, priority: 1, weight: 2 },
    ]);
  });

  it('4.2.25 a trailing dot goes; targets that are no host names are ignored', () => {
    expect(
      names(
        orderSrv([record('Mail.Example.COM.'), record('.'), record(''), record('127.0.0.1'), record('a b.example'), record('x')]),
      ),
    ).toEqual(['mail.example.com']);
  });

  it('4.2.27 nothing, or nothing on port 443, gives nothing; other ports only on request', () => {
    expect(orderSrv([])).toEqual([]);
    expect(orderSrv([record('a.example', { port: 8443 })])).toEqual([]);
    expect(names(orderSrv([record('a.example', { port: 8443 }), record('b.example', { port: 0 })], { anyPort: true }))).toEqual([
      'a.example',
    ]);
  });

  it('4.2.27 the lowest priority is tried first, in whatever order the records come', () => {
    const [low, high] = [record('low.example', { priority: 1 }), record('high.example', { priority: 10 })];
    expect(names(orderSrv([low, high]))).toEqual(['low.example', 'high.example']);
    expect(names(orderSrv([high, low]))).toEqual(['low.example', 'high.example']);
  });

  it('within one priority weight decides by lot, and weight 0 nearly never wins', () => {
    const wins = { heavy: 0, light: 0, none: 0 };
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let i = 0; i < 10_000; i++) {
      const [first] = orderSrv(
        [record('none.example', { weight: 0 }), record('light.example', { weight: 25 }), record('heavy.example', { weight: 75 })],
        { random },
      );
      wins[first?.name.split('.')[0] as keyof typeof wins]++;
    }
    expect(wins.heavy / wins.light).toBeGreaterThan(2.5);
    expect(wins.heavy / wins.light).toBeLessThan(3.6);
    expect(wins.none).toBeLessThan(300);
    expect(wins.none).toBeGreaterThan(0);
  });
});
