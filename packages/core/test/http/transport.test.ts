import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TimeoutError } from '../../src/errors.js';
import { NotSentError, Transport, type TransportOptions } from '../../src/exports/http.js';
import { makeCertificates, type TestCertificates } from './certificates.js';
import { startProxy } from './local-proxy.js';
import { type LocalServer, listen, startServer } from './local-server.js';

let certificates: TestCertificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

function openTransport(options: TransportOptions = {}): Transport {
  const transport = new Transport({ proxy: false, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe('an answer', () => {
  test('is a Response of the platform, with its URL', async () => {
    const server = await startServer((response) => response.end('hello'));
    const response = await openTransport().fetch(`${server.origin}/a`);
    expect(response).toBeInstanceOf(globalThis.Response);
    expect(response.url).toBe(`${server.origin}/a`);
    expect(await response.text()).toBe('hello');
  });

  test('comes from exactly one attempt, whatever its status', async () => {
    const server = await startServer((response) => response.writeHead(503, { 'retry-after': '0' }).end());
    const response = await openTransport().fetch(server.origin);
    expect(response.status).toBe(503);
    expect(server.received).toHaveLength(1);
  });

  test('accepts a Request object and every kind of body', async () => {
    const server = await startServer((response, request) => response.end(request.body));
    const { fetch } = openTransport();
    const bodies: [RequestInit['body'], string][] = [
      ['text', 'text'],
      [Buffer.from('bytes'), 'bytes'],
      [new URLSearchParams({ a: 'b c' }), 'a=b+c'],
      [new Blob(['blob']), 'blob'],
    ];
    for (const [body, expected] of bodies)
      expect(await (await fetch(new Request(server.origin, { method: 'POST', body: body ?? null }))).text()).toBe(expected);
  });
});

describe('certificates', () => {
  test('a private authority is trusted when its certificate is given as ca', async () => {
    const server = await startServer((response) => response.end('secure'), certificates);
    const response = await openTransport({ ca: certificates.ca }).fetch(server.origin);
    expect(await response.text()).toBe('secure');
  });

  test('an unknown authority is a NotSentError that says what to do', async () => {
    const server = await startServer((response) => response.end(), certificates);
    const error = await failure(openTransport().fetch(server.origin));
    expect(error).toBeInstanceOf(NotSentError);
    expect(String(error)).toContain('give its issuer in `ca`');
    expect(server.received).toHaveLength(0);
  });

  test('verifyTls: false accepts any certificate', async () => {
    const server = await startServer((response) => response.end('unverified'), certificates);
    expect(await (await openTransport({ verifyTls: false }).fetch(server.origin)).text()).toBe('unverified');
  });

  test('the path of a file instead of PEM is refused with advice', async () => {
    expect(() => new Transport({ ca: '/etc/ca.pem' })).toThrow(/must be certificates in PEM/);
    // Line breaks that were lost on the way, in an environment variable for one, show at the first request.
    const mangled = openTransport({ ca: certificates.ca.replaceAll('\n', '\\n') }).tokenFetch('https://localhost:8443/');
    await expect(mangled).rejects.toMatchObject({ code: 'TOKENRY_INVALID_ARGUMENT', message: expect.stringContaining('PEM') });
  });
});

describe('nothing was sent', () => {
  test('when the port is closed, with the system code on the cause, as a TypeError', async () => {
    const error = await failure(openTransport().fetch(`http://127.0.0.1:${await closedPort()}/`));
    expect(error).toBeInstanceOf(NotSentError);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as { cause: { code: string } }).cause.code).toBe('ECONNREFUSED');
  });

  test('when the name does not exist', async () => {
    const error = await failure(openTransport().fetch('https://nowhere.invalid/'));
    expect(error).toBeInstanceOf(NotSentError);
    expect((error as { cause: { code: string } }).cause.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });

  test('when the other side accepts the connection but never speaks TLS', async () => {
    const port = await listen(createServer(() => undefined));
    const error = await failure(openTransport({ connectTimeoutMs: 100 }).fetch(`https://127.0.0.1:${port}/`));
    expect(error).toBeInstanceOf(NotSentError);
    expect(String(error)).toContain('UND_ERR_CONNECT_TIMEOUT');
  });

  test('when the deadline for a whole answer passes before there is a connection', async () => {
    const port = await listen(createServer(() => undefined));
    const error = await failure(openTransport({ timeoutMs: 50 }).tokenFetch(`https://127.0.0.1:${port}/`));
    expect(error).toBeInstanceOf(NotSentError);
    expect((error as Error).cause).toBeInstanceOf(TimeoutError);
  });

  test('a connection that breaks after the request is something else', async () => {
    const server = await startServer((response) => response.destroy());
    const error = await failure(openTransport().fetch(server.origin, { method: 'POST', body: 'x' }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).not.toBeInstanceOf(NotSentError);
    expect(server.received).toHaveLength(1);
  });
});

describe('deadlines', () => {
  test('no headers in time is a TimeoutError', async () => {
    const server = await startServer(() => undefined);
    const error = await failure(openTransport({ timeoutMs: 50 }).fetch(server.origin));
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as TimeoutError).timeoutMs).toBe(50);
  });

  test('a body that stops is a TimeoutError while reading', async () => {
    const server = await startServer((response) => response.write('half'));
    const response = await openTransport({ timeoutMs: 50 }).fetch(server.origin);
    expect(await failure(response.text())).toBeInstanceOf(TimeoutError);
  });

  test('a slow body may take longer than the time-out with fetch, and may not with tokenFetch', async () => {
    const server = await startServer((response) => {
      let pieces = 0;
      const timer = setInterval(() => {
        if (++pieces < 30) response.write('x');
        else response.end();
      }, 50);
      response.on('close', () => clearInterval(timer));
    });
    const transport = openTransport({ timeoutMs: 1_000 });
    expect(await (await transport.fetch(server.origin)).text()).toBe('x'.repeat(29));
    const response = await transport.tokenFetch(server.origin);
    expect(await failure(response.text())).toBeInstanceOf(TimeoutError);
  });

  test('times that no timer can hold are refused', () => {
    expect(() => new Transport({ timeoutMs: 0 })).toThrow(RangeError);
    expect(() => new Transport({ connectTimeoutMs: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  });
});

describe('abort', () => {
  test('rejects with the reason of the signal, before, during and after the headers', async () => {
    const server = await startServer((response, request) => request.path === '/body' && response.write('half'));
    const { fetch } = openTransport();
    const reason = new Error('enough');
    expect(await failure(fetch(server.origin, { signal: AbortSignal.abort(reason) }))).toBe(reason);

    const headers = new AbortController();
    const waiting = failure(fetch(server.origin, { signal: headers.signal }));
    await expect.poll(() => server.received.length).toBe(1);
    headers.abort(reason);
    expect(await waiting).toBe(reason);

    const body = new AbortController();
    const response = await fetch(new Request(`${server.origin}/body`, { signal: body.signal }));
    const reading = failure(response.text());
    body.abort(reason);
    expect(await reading).toBe(reason);
  });
});

describe('proxies', () => {
  test('B26: a proxy password with @ : / arrives as it was given', async () => {
    const server = await startServer((response) => response.end('through'), certificates);
    const proxy = await startProxy();
    const password = 'secret-TEST-p@ss:w/rd?#%';
    const { fetch } = openTransport({
      ca: certificates.ca,
      proxy: { host: proxy.host, port: proxy.port, username: 'CORP\\ada', password },
    });
    expect(await (await fetch(server.origin)).text()).toBe('through');
    expect(proxy.asked).toEqual([`CONNECT ${server.host}`]);
    expect(proxy.credentials).toEqual([`CORP\\ada:${password}`]);
  });

  test('B26: credentials typed into a URL are encoded too', async () => {
    const server = await startServer((response) => response.end(), certificates);
    const proxy = await startProxy();
    const { fetch } = openTransport({ ca: certificates.ca, proxy: `ada:secret-TEST-p@ss:w/rd@${proxy.host}:${proxy.port}` });
    await fetch(server.origin);
    expect(proxy.credentials).toEqual(['ada:secret-TEST-p@ss:w/rd']);
  });

  test('HTTPS_PROXY and NO_PROXY are honoured by default, loopback stays direct, and proxy: false ignores them', async () => {
    const server = await startServer((response) => response.end('reached'), certificates);
    const proxy = await startProxy({ upstreamPort: portOf(server) });
    withEnvironment({ HTTPS_PROXY: `http://${proxy.host}:${proxy.port}`, NO_PROXY: 'direct.service.example' });
    const transport = new Transport({ ca: certificates.ca });
    onTestFinished(() => transport.close());
    expect(await (await transport.fetch('https://api.service.example/')).text()).toBe('reached');
    expect(await (await transport.fetch(server.origin)).text()).toBe('reached');
    await failure(transport.fetch('https://direct.service.example/'));
    await failure(openTransport({ ca: certificates.ca }).fetch('https://api.service.example/'));
    expect(proxy.asked).toEqual(['CONNECT api.service.example:443']);
  });

  test('a proxy that refuses is a NotSentError without the password', async () => {
    const proxy = await startProxy({ refuse: true });
    const { fetch } = openTransport({
      proxy: { host: proxy.host, port: proxy.port, username: 'ada', password: 'secret-TEST-1' },
    });
    const error = await failure(fetch('https://graph.microsoft.com/'));
    expect(error).toBeInstanceOf(NotSentError);
    expect(String(error)).toContain('Proxy response (407)');
    expect(inspect(error, { depth: 9 })).not.toContain('secret-TEST');
  });

  test('a proxy that never answers is a connection that never came about', async () => {
    const proxy = await startProxy({ silent: true });
    const { fetch } = openTransport({ connectTimeoutMs: 100, proxy: `http://${proxy.host}:${proxy.port}` });
    expect(await failure(fetch('https://graph.microsoft.com/'))).toBeInstanceOf(NotSentError);
  });

  test('what is no proxy URL is refused without being quoted', () => {
    for (const proxy of ['socks5://u:secret-TEST-1@h:1', 'http://', 'http://u:secret-TEST-1@ho st:1']) {
      const error = (() => {
        try {
          return new Transport({ proxy });
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error)).not.toContain('secret-TEST');
    }
  });
});

describe('secrets', () => {
  test('arguments that the platform would quote are refused without their values', async () => {
    const { fetch } = openTransport();
    for (const attempt of [
      fetch('https://ada:secret-TEST-1@example.com/'),
      fetch('not a url?code=secret-TEST-1'),
      fetch('https://example.com/', { headers: { 'x-key': 'secret-TEST-1\n2' } }),
    ]) {
      const error = await failure(attempt);
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error)).not.toContain('secret-TEST');
    }
  });
});

describe('close', () => {
  test('waits for an answer that is still to come, and a later call opens anew', async () => {
    let release: (() => void) | undefined;
    const server = await startServer((response, _request, index) => {
      if (index > 0) return void response.end('second');
      release = () => response.end('first');
    });
    const transport = openTransport();
    const first = transport.fetch(server.origin);
    await expect.poll(() => release).toBeDefined();
    const closing = transport.close();
    release?.();
    expect(await (await first).text()).toBe('first');
    await closing;
    expect(await (await transport.fetch(server.origin)).text()).toBe('second');
  });

  test('is not held up by a large answer that nobody reads', async () => {
    const server = await startServer((response) => response.end(Buffer.alloc(32 * 1024 * 1024)));
    const transport = new Transport({ proxy: false });
    const response = await transport.fetch(server.origin);
    await transport.close();
    expect(await failure(response.text())).toBeInstanceOf(TypeError);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: LocalServer): number {
  return Number(new URL(server.origin).port);
}

function withEnvironment(values: Record<string, string>): void {
  const before = { ...process.env };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']) delete process.env[name];
  Object.assign(process.env, values);
  onTestFinished(() => {
    for (const name of Object.keys(values)) delete process.env[name];
    Object.assign(process.env, before);
  });
}
