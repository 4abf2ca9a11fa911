import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Connection, type ConnectionParts } from '../../src/connection.js';
import { HttpError } from '../../src/errors.js';
import { authorizedFetch, retryingFetch, Transport } from '../../src/exports/http.js';
import { Protocol } from '../../src/protocol/protocol.js';
import { type Answer, json, startServer } from './local-server.js';
import { type RecordingClock, recordingClock } from './recording-clock.js';

const TOKEN = 'at-TEST-eyJhbGciOi';

async function connected(answer: Answer, parts: Partial<ConnectionParts> = {}) {
  const server = await startServer(answer);
  const transport = new Transport({ proxy: false });
  onTestFinished(() => transport.close());
  const clock: RecordingClock = recordingClock();
  const protocol = new Protocol({ protocolUrl: `${server.origin}/`, apiVersion: 'v1.0' });
  const naiveFetch = retryingFetch(transport.fetch, {}, clock);
  const getToken = async () => ({ token: TOKEN });
  const fetch = authorizedFetch({ fetch: naiveFetch, getToken, serviceUrl: protocol.serviceUrl });
  const refreshToken = async () => ({ token: TOKEN, expiresAt: 1, scopes: ['User.Read'] });
  const connection = new Connection({ protocol, fetch, naiveFetch, refreshToken, now: clock.now, ...parts });
  return { server, connection, clock };
}

const ok: Answer = (response) => json(response, 200, { ok: true });

const failed = async (promise: Promise<unknown>): Promise<HttpError> => {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof HttpError)) throw new Error(`expected an HttpError, got ${inspect(error)}`);
  return error;
};

describe('URLs', () => {
  test('relative ones lie below the service URL, with or without a slash in front', async () => {
    const { connection, server } = await connected(ok);
    for (const url of [
      'me',
      '/me',
      '//me',
      `${server.origin}/beta/me`,
      'me/drive/root:/a b.txt:/content',
      'root:/x',
      '/me?$top=1',
    ])
      await connection.get(url);
    expect(server.received.map(({ path }) => path)).toEqual([
      '/v1.0/me',
      '/v1.0/me',
      '/v1.0/me',
      '/beta/me',
      '/v1.0/me/drive/root:/a%20b.txt:/content',
      '/v1.0/root:/x',
      '/v1.0/me?$top=1',
    ]);
  });

  test('params are encoded, keep their $, and join a query that is there', async () => {
    const { connection, server } = await connected(ok);
    await connection.get('/me/messages', { params: { $top: 5, $filter: "subject eq 'a&b + ü'", $count: true } });
    await connection.get('/me?$select=id', { params: { $expand: 'manager' } });
    expect(server.received.map(({ path }) => path)).toEqual([
      '/v1.0/me/messages?$top=5&$filter=subject%20eq%20%27a%26b%20%2B%20%C3%BC%27&$count=true',
      '/v1.0/me?$select=id&$expand=manager',
    ]);
  });
});

describe('bodies', () => {
  test('objects, lists, numbers and booleans travel as JSON', async () => {
    const { connection, server } = await connected(ok);
    await connection.post('/a', { name: 'Ada' });
    await connection.put('/a', [1, 2]);
    await connection.patch('/a', false);
    expect(server.received.map(({ method, body, headers }) => [method, body, headers['content-type']])).toEqual([
      ['POST', '{"name":"Ada"}', 'application/json'],
      ['PUT', '[1,2]', 'application/json'],
      ['PATCH', 'false', 'application/json'],
    ]);
  });

  test('strings, bytes, forms and streams travel as they are; nothing travels as nothing', async () => {
    const { connection, server } = await connected(ok);
    await connection.post('/a', '{"raw":1}', { headers: { 'Content-Type': 'application/json' } });
    await connection.put('/a', Buffer.from('bytes'), { headers: { 'content-type': 'text/markdown' } });
    await connection.post('/a', new URLSearchParams({ a: '1' }));
    await connection.put('/a', Readable.from([Buffer.from('stre'), Buffer.from('am')]));
    await connection.post('/a');
    await connection.delete('/a');
    expect(server.received.map(({ method, body, headers }) => [method, body, headers['content-type']])).toEqual([
      ['POST', '{"raw":1}', 'application/json'],
      ['PUT', 'bytes', 'text/markdown'],
      ['POST', 'a=1', 'application/x-www-form-urlencoded;charset=UTF-8'],
      ['PUT', 'stream', undefined],
      ['POST', '', undefined],
      ['DELETE', '', undefined],
    ]);
  });

  test('jsonReplacer writes what JSON cannot', async () => {
    const jsonReplacer = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
    const { connection, server } = await connected(ok, { jsonReplacer });
    await connection.post('/a', { size: 10n });
    expect(server.received[0]?.body).toBe('{"size":"10"}');
  });
});

describe('headers', () => {
  test('B19: the caller’s headers object is untouched and Prefer does not grow', async () => {
    const { connection, server } = await connected(ok, {
      defaultHeaders: Object.freeze({ Prefer: 'outlook.timezone="UTC"', 'x-app': 'tokenry' }),
    });
    const headers = { prefer: 'odata.maxpagesize=5' };
    await connection.get('/me', { headers });
    await connection.get('/me', { headers });
    expect(headers).toEqual({ prefer: 'odata.maxpagesize=5' });
    expect(server.received.map((request) => [request.headers.prefer, request.headers['x-app']])).toEqual([
      ['odata.maxpagesize=5, outlook.timezone="UTC"', 'tokenry'],
      ['odata.maxpagesize=5, outlook.timezone="UTC"', 'tokenry'],
    ]);
  });

  test('the caller’s headers win over the default ones in any case', async () => {
    const { connection, server } = await connected(ok, { defaultHeaders: { Accept: 'a/default' } });
    await connection.get('/me', { headers: { aCCept: 'a/own' } });
    expect(server.received[0]?.headers.accept).toBe('a/own');
  });
});

describe('tokens', () => {
  test('a request carries the token, a naive one does not', async () => {
    const { connection, server } = await connected(ok);
    await connection.get('/me');
    await connection.naiveRequest('/me', { method: 'POST', body: 'x' });
    expect(server.received.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['GET', `Bearer ${TOKEN}`],
      ['POST', undefined],
    ]);
  });

  test('refreshToken passes the signal on and returns the new token', async () => {
    const seen: unknown[] = [];
    const { connection } = await connected(ok, {
      refreshToken: async (options) => {
        seen.push(options);
        return { token: 'at-TEST-2', expiresAt: 2, scopes: [] };
      },
    });
    const { signal } = new AbortController();
    expect((await connection.refreshToken({ signal })).token).toBe('at-TEST-2');
    expect(seen).toEqual([{ signal }]);
  });
});

describe('errors', () => {
  test('a Graph error becomes an HttpError with code, request id and wait', async () => {
    const body = {
      error: { code: 'ErrorItemNotFound', message: 'The item was not found.', innerError: { 'request-id': 'from-body' } },
    };
    const { connection } = await connected((response) =>
      json(response, 404, body, { 'request-id': 'from-header', 'retry-after': '3' }),
    );
    const error = await failed(connection.get('/me/messages/1', { params: { $search: 'secret-TEST' } }));
    expect({ ...error.toJSON() }).toMatchObject({
      status: 404,
      graphCode: 'ErrorItemNotFound',
      requestId: 'from-header',
      retryAfterMs: 3_000,
    });
    expect(error.message).toMatch(
      /^GET http:\/\/127\.0\.0\.1:\d+\/v1\.0\/me\/messages\/1 answered 404: ErrorItemNotFound: The item was not found\.$/,
    );
    expect(await error.response?.json()).toEqual(body);
  });

  test.each([
    ['an OAuth error', '{"error":"invalid_grant","error_description":"AADSTS70000: no"}', 'invalid_grant', 'AADSTS70000: no'],
    ['a list', '[{"code":"x"}]', undefined, '[{"code":"x"}]'],
    ['a JSON string', '"just words"', undefined, 'just words'],
    ['nothing', '', undefined, 'answered 500'],
    ['HTML', '<html><style>p{}</style><h1>Service  Unavailable</h1></html>', undefined, '500: Service Unavailable'],
    ['null', 'null', undefined, 'answered 500'],
    ['error: null', '{"error":null}', undefined, '{"error":null}'],
    ['a flat object', '{"code":"Throttled","message":"slow down"}', 'Throttled', 'slow down'],
    ['a code in the inner error', '{"error":{"message":"m","innerError":{"code":"Inner"}}}', 'Inner', 'm'],
    ['a code that is an object', '{"error":{"code":{"a":1},"message":["m"]}}', undefined, 'answered 500'],
    ['cut off JSON', '{"error":{"code":"Tr', undefined, '{"error":{"code":"Tr'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), undefined, 'answered 500'],
  ])('B18: an error body that is %s never crashes', async (_name, body, graphCode, message) => {
    const { connection } = await connected((response) => response.writeHead(500).end(body));
    const error = await failed(connection.post('/me', {}));
    expect(error.status).toBe(500);
    expect(error.graphCode).toBe(graphCode);
    if (graphCode !== undefined || !message.includes('"')) expect(error.message).toContain(message);
  });

  test('a long error page is quoted only in part', async () => {
    const { connection } = await connected((response) => response.writeHead(500).end('x'.repeat(500_000)));
    expect((await failed(connection.post('/me', {}))).message.length).toBeLessThan(500);
  });

  test('B20: neither the error nor anything printed of it holds the token, even when the API repeats it', async () => {
    const { connection } = await connected((response, { headers }) =>
      json(response, 400, { error: { code: 'Bad', message: `you sent ${headers.authorization} and access_token=at-TEST-x` } }),
    );
    const error = await failed(connection.get('/me'));
    for (const printed of [inspect(error, { depth: 9 }), JSON.stringify(error), String(error), error.stack ?? ''])
      expect(printed).not.toContain('at-TEST');
  });

  test('B17: with raiseHttpErrors: false the last answer is returned after the retries', async () => {
    const { connection, server, clock } = await connected(
      (response, _request, index) => json(response, 503, { attempt: index }, { 'retry-after': '1' }),
      { raiseHttpErrors: false },
    );
    const response = await connection.post('/me', { a: 1 });
    expect([response.status, await response.json()]).toEqual([503, { attempt: 3 }]);
    expect(server.received).toHaveLength(4);
    expect(clock.waits).toEqual([1_000, 1_000, 1_000]);
  });

  test('B17: otherwise it is an HttpError with that answer', async () => {
    const { connection } = await connected((response, _request, index) =>
      json(response, 503, { attempt: index }, { 'retry-after': '1' }),
    );
    const error = await failed(connection.get('/me'));
    expect(error.retryAfterMs).toBe(1_000);
    expect(await error.response?.json()).toEqual({ attempt: 3 });
  });

  test('a signal ends a request with its reason', async () => {
    const { connection } = await connected(() => undefined);
    const reason = new Error('enough');
    await expect(connection.get('/me', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('headers that cannot be sent', () => {
  test.each([
    ['of a request', { headers: { 'x-api-key': 'se"cret-TEST\nkey' } }, {}],
    ['by default', {}, { defaultHeaders: { 'x-api-key': 'se"cret-TEST\nkey' } }],
  ])('%s are refused without being quoted', async (_whose, options, parts) => {
    const { connection, server } = await connected(ok, parts);
    const error: unknown = await connection.get('/me', options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' });
    expect(inspect(error)).not.toContain('cret-TEST');
    expect(server.received).toHaveLength(0);
  });
});
