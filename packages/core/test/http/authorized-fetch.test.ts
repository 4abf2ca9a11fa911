import { Readable } from 'node:stream';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { NotAuthenticatedError } from '../../src/errors.js';
import { authorizedFetch, type Fetch, type TokenForRequestOptions, Transport } from '../../src/exports/http.js';
import { makeCertificates, type TestCertificates } from './certificates.js';
import { type Answer, json, type LocalServer, startServer } from './local-server.js';

let certificates: TestCertificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

interface Session {
  readonly fetch: Fetch;
  /** What was asked of the token source. */
  readonly asked: TokenForRequestOptions[];
}

/** Tokens at-TEST-1, at-TEST-2, …: the next one whenever a refresh is forced. */
function session(serviceUrl: string, allowedHosts: readonly string[] = []): Session {
  const transport = new Transport({ proxy: false, ca: certificates.ca });
  onTestFinished(() => transport.close());
  const asked: TokenForRequestOptions[] = [];
  let generation = 1;
  const getToken = async (options: TokenForRequestOptions) => {
    asked.push(options);
    if (options.forceRefresh) generation += 1;
    return { token: `at-TEST-${generation}` };
  };
  return { fetch: authorizedFetch({ fetch: transport.fetch, getToken, serviceUrl, allowedHosts }), asked };
}

/** Takes one token and refuses all others. */
const accepting = (token: string, challenge = 'Bearer'): Answer => {
  return (response, request) => {
    if (request.headers.authorization === `Bearer ${token}`) response.end(`seen: ${request.body}`);
    else json(response, 401, { error: { code: 'InvalidAuthenticationToken' } }, { 'www-authenticate': challenge });
  };
};

const bearers = (server: LocalServer) => server.received.map(({ headers }) => headers.authorization);

describe('a 401', () => {
  test('B10: with a claims challenge leads to one refresh with those claims and one repeat', async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
    const challenge =
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ' +
      `error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;
    const server = await startServer(accepting('at-TEST-2', challenge));
    const { fetch, asked } = session(server.origin);
    const response = await fetch(`${server.origin}/me`, { method: 'POST', body: 'mail' });
    expect(await response.text()).toBe('seen: mail');
    expect(asked).toEqual([{}, { forceRefresh: true, refusedToken: 'at-TEST-1', claims }]);
    expect(bearers(server)).toEqual(['Bearer at-TEST-1', 'Bearer at-TEST-2']);
  });

  test('without a challenge leads to one refresh naming the refused token', async () => {
    const server = await startServer(accepting('at-TEST-2'));
    const { fetch, asked } = session(server.origin);
    expect((await fetch(server.origin)).status).toBe(200);
    expect(asked).toEqual([{}, { forceRefresh: true, refusedToken: 'at-TEST-1' }]);
  });

  test('B11: that persists after the refresh is returned after exactly 2 requests', async () => {
    const server = await startServer(accepting('at-TEST-never'));
    const { fetch, asked } = session(server.origin);
    const response = await fetch(server.origin);
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error: { code: 'InvalidAuthenticationToken' } });
    expect(server.received).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  test('B12: a 403 with a live token is returned without refresh', async () => {
    const server = await startServer((response) => response.writeHead(403, { 'www-authenticate': 'Bearer' }).end());
    const { fetch, asked } = session(server.origin);
    expect((await fetch(server.origin)).status).toBe(403);
    expect(server.received).toHaveLength(1);
    expect(asked).toEqual([{}]);
  });

  test('B15: for a stream refreshes and does not repeat; nothing is ever uploaded empty', async () => {
    const server = await startServer(accepting('at-TEST-2'));
    const { fetch, asked } = session(server.origin);
    const stream = () => Readable.toWeb(Readable.from([Buffer.from('content')])) as unknown as NonNullable<RequestInit['body']>;
    expect((await fetch(server.origin, { method: 'PUT', body: stream() })).status).toBe(401);
    expect(asked).toHaveLength(2);
    expect(await (await fetch(server.origin, { method: 'PUT', body: stream() })).text()).toBe('seen: content');
    expect(server.received.map(({ body }) => body)).toEqual(['content', 'content']);
  });

  test('is returned when the refresh brings the same token again', async () => {
    const server = await startServer(accepting('at-TEST-2'));
    const transport = new Transport({ proxy: false });
    onTestFinished(() => transport.close());
    const fetch = authorizedFetch({
      fetch: transport.fetch,
      getToken: async () => ({ token: 'at-TEST-static' }),
      serviceUrl: server.origin,
    });
    expect((await fetch(server.origin)).status).toBe(401);
    expect(server.received).toHaveLength(1);
  });

  test('to the caller’s own Authorization header is returned as it is', async () => {
    const server = await startServer(accepting('at-TEST-1'));
    const { fetch, asked } = session(server.origin);
    expect((await fetch(server.origin, { headers: { Authorization: 'Basic secret-TEST' } })).status).toBe(401);
    expect(bearers(server)).toEqual(['Basic secret-TEST']);
    expect(asked).toEqual([]);
  });
});

describe('the token source', () => {
  test('B32: an account that is not signed in fails before anything is sent', async () => {
    const server = await startServer((response) => response.end());
    const transport = new Transport({ proxy: false });
    onTestFinished(() => transport.close());
    const getToken = () => Promise.reject(new NotAuthenticatedError('Nobody is signed in.'));
    const fetch = authorizedFetch({ fetch: transport.fetch, getToken, serviceUrl: server.origin });
    await expect(fetch(server.origin)).rejects.toThrow(NotAuthenticatedError);
    expect(server.received).toHaveLength(0);
  });

  test('gets the signal of the request', async () => {
    const server = await startServer((response) => response.end());
    const { fetch, asked } = session(server.origin);
    const { signal } = new AbortController();
    await fetch(server.origin, { signal });
    expect(asked[0]?.signal).toBe(signal);
  });

  test('a token that no header can carry is refused without being quoted', async () => {
    const fetch = authorizedFetch({
      fetch: globalThis.fetch,
      getToken: async () => ({ token: 'at-TEST\n-1' }),
      serviceUrl: 'http://localhost:1',
    });
    const error: unknown = await fetch('http://localhost:1/').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain('at-TEST');
  });
});

describe('where the token goes', () => {
  test('to the service and to allowed hosts, not to any other', async () => {
    const [service, allowed, foreign] = await Promise.all(
      [1, 2, 3].map(() => startServer((response) => response.end(), certificates)),
    );
    if (!service || !allowed || !foreign) throw new Error('three servers were started');
    const { fetch, asked } = session(`${service.origin}/v1.0/`, [allowed.host]);
    for (const server of [service, allowed, foreign]) await fetch(`${server.origin}/x`);
    expect([service, allowed, foreign].flatMap(bearers)).toEqual(['Bearer at-TEST-1', 'Bearer at-TEST-1', undefined]);
    expect(asked).toHaveLength(2);
  });

  test('a wildcard allows the hosts below it, not the host itself nor one that only ends alike', async () => {
    const carried: string[] = [];
    const recording: Fetch = async (input, init) => {
      if (new Headers(init?.headers).has('authorization')) carried.push(String(input));
      return new Response();
    };
    const fetch = authorizedFetch({
      fetch: recording,
      getToken: async () => ({ token: 'at-TEST-1' }),
      serviceUrl: 'https://graph.microsoft.com/v1.0/',
      allowedHosts: ['*.sharepoint.com', 'Localhost:4000'],
    });
    const urls = [
      'https://graph.microsoft.com/beta/me',
      'https://contoso.sharepoint.com/x',
      'http://localhost:4000/x',
      'https://GRAPH.microsoft.com/x',
      'https://sharepoint.com/x',
      'https://evilsharepoint.com/x',
      'https://contoso.sharepoint.com.evil.example/x',
      'http://contoso.sharepoint.com/x',
      'http://graph.microsoft.com/v1.0/me',
      'https://graph.microsoft.com:8443/x',
      'http://localhost:4001/x',
    ];
    for (const url of urls) await fetch(url);
    expect(carried).toEqual([...urls.slice(0, 3), 'https://graph.microsoft.com/x']);
  });

  test('an allowed host that is none is refused', () => {
    for (const host of ['https://contoso.sharepoint.com', 'a/b', '', '*'])
      expect(() => authorizedFetch({ ...idle, allowedHosts: [host] })).toThrow(TypeError);
  });
});

describe('redirects', () => {
  test('within the origin keep the token', async () => {
    const server = await startServer((response, { path }) =>
      path === '/old' ? response.writeHead(302, { location: '/new' }).end() : response.end('new place'),
    );
    const response = await session(server.origin).fetch(`${server.origin}/old`);
    expect(await response.text()).toBe('new place');
    expect(response.redirected).toBe(true);
    expect(response.url).toBe(`${server.origin}/new`);
    expect(bearers(server)).toEqual(['Bearer at-TEST-1', 'Bearer at-TEST-1']);
  });

  test('to another origin drop the token, even to an allowed host, and even on the way back', async () => {
    let back = '';
    const other = await startServer((response, { path }) =>
      path === '/download' ? response.writeHead(302, { location: back }).end() : response.end(),
    );
    const server = await startServer((response, { path }) =>
      path === '/content' ? response.writeHead(302, { location: `${other.origin}/download` }).end() : response.end('end'),
    );
    back = `${server.origin}/end`;
    const { fetch } = session(server.origin, [other.host]);
    const response = await fetch(`${server.origin}/content`, { headers: { cookie: 'secret-TEST', 'x-kept': 'yes' } });
    expect(await response.text()).toBe('end');
    expect(bearers(server)).toEqual(['Bearer at-TEST-1', undefined]);
    expect(bearers(other)).toEqual([undefined]);
    expect(other.received[0]?.headers.cookie).toBeUndefined();
    expect(other.received[0]?.headers['x-kept']).toBe('yes');
  });

  test('to another origin drop the caller’s own Authorization too', async () => {
    const other = await startServer((response) => response.end());
    const server = await startServer((response) => response.writeHead(307, { location: other.origin }).end());
    await session(server.origin).fetch(server.origin, { headers: { authorization: 'Basic secret-TEST' } });
    expect(bearers(other)).toEqual([undefined]);
  });

  test.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', 'data'],
    [307, 'POST', 'POST', 'data'],
    [308, 'PATCH', 'PATCH', 'data'],
  ])('%i turns %s into %s', async (status, method, expectedMethod, expectedBody) => {
    const server = await startServer((response, { path }) =>
      path === '/' ? response.writeHead(status, { location: '/next' }).end() : response.end(),
    );
    await session(server.origin).fetch(server.origin, { method, body: 'data', headers: { 'content-type': 'text/plain' } });
    const next = server.received[1];
    expect([next?.method, next?.body]).toEqual([expectedMethod, expectedBody]);
    expect(next?.headers['content-type']).toBe(expectedBody ? 'text/plain' : undefined);
  });

  test('manual returns the redirect, error rejects, a loop ends', async () => {
    const server = await startServer((response) => response.writeHead(302, { location: '/' }).end());
    const { fetch } = session(server.origin);
    const manual = await fetch(server.origin, { redirect: 'manual' });
    expect([manual.status, manual.headers.get('location')]).toEqual([302, '/']);
    await expect(fetch(server.origin, { redirect: 'error' })).rejects.toThrow(TypeError);
    const before = server.received.length;
    await expect(fetch(server.origin)).rejects.toThrow(TypeError);
    expect(server.received.length - before).toBe(21);
  });

  test('a stream is not sent to a second address', async () => {
    const server = await startServer((response) => response.writeHead(307, { location: '/next' }).end());
    const body = Readable.toWeb(Readable.from([Buffer.from('x')])) as unknown as NonNullable<RequestInit['body']>;
    await expect(session(server.origin).fetch(server.origin, { method: 'PUT', body })).rejects.toThrow(TypeError);
    expect(server.received).toHaveLength(1);
  });
});

test('it takes URL objects and Request objects, and repeats a Request with its body and headers', async () => {
  const server = await startServer(accepting('at-TEST-2'));
  const { fetch } = session(server.origin);
  const request = new Request(server.origin, {
    method: 'PATCH',
    body: '{"a":1}',
    headers: { 'content-type': 'application/json' },
  });
  expect(await (await fetch(request)).text()).toBe('seen: {"a":1}');
  expect(server.received.map(({ method, headers }) => [method, headers['content-type']])).toEqual([
    ['PATCH', 'application/json'],
    ['PATCH', 'application/json'],
  ]);
  expect((await fetch(new URL('/x', server.origin))).status).toBe(200);
});

test('it works without its owner, as any fetch does', async () => {
  const server = await startServer((response) => response.end('bound'));
  const { fetch: free } = session(server.origin);
  expect(await (await free(server.origin)).text()).toBe('bound');
});

const idle = {
  fetch: globalThis.fetch,
  getToken: async () => ({ token: 'at-TEST-1' }),
  serviceUrl: 'https://graph.microsoft.com/v1.0/',
};
