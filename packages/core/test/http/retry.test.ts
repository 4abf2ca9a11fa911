import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { type Fetch, NotSentError, type RetryPolicy, retryingFetch, Transport } from '../../src/exports/http.js';
import { type Answer, listen, startServer } from './local-server.js';
import { type RecordingClock, recordingClock } from './recording-clock.js';

function opened(policy: RetryPolicy = {}): { fetch: Fetch; clock: RecordingClock } {
  const transport = new Transport({ proxy: false });
  onTestFinished(() => transport.close());
  const clock = recordingClock();
  return { fetch: retryingFetch(transport.fetch, policy, clock), clock };
}

/** Fails `times` times with `status`, then answers 200. */
const failing = (times: number, status: number, headers: Record<string, string> = {}): Answer => {
  return (response, request, index) => {
    if (index < times) response.writeHead(status, headers).end('not yet');
    else response.end(`done: ${request.body}`);
  };
};

describe('answers that ask to come back', () => {
  test('B16: a POST with 429 and Retry-After 1 is repeated after 1 s', async () => {
    const server = await startServer(failing(1, 429, { 'retry-after': '1' }));
    const { fetch, clock } = opened();
    const response = await fetch(server.origin, { method: 'POST', body: 'order' });
    expect(await response.text()).toBe('done: order');
    expect(clock.waits).toEqual([1_000]);
    expect(server.received.map(({ body }) => body)).toEqual(['order', 'order']);
  });

  test('B16: requestRetries: 0 switches it off', async () => {
    const server = await startServer(failing(1, 429, { 'retry-after': '1' }));
    const { fetch, clock } = opened({ requestRetries: 0 });
    expect((await fetch(server.origin)).status).toBe(429);
    expect(clock.waits).toEqual([]);
  });

  test('503 with Retry-After is repeated for every method, 503 without it is not for a POST', async () => {
    const asked = await startServer(failing(1, 503, { 'retry-after': '2' }));
    const silent = await startServer(failing(1, 503));
    const { fetch, clock } = opened();
    expect((await fetch(asked.origin, { method: 'POST', body: 'x' })).status).toBe(200);
    expect(clock.waits).toEqual([2_000]);
    expect((await fetch(silent.origin, { method: 'POST', body: 'x' })).status).toBe(503);
    expect((await fetch(silent.origin, { method: 'POST', body: 'x' })).status).toBe(200);
    expect(silent.received).toHaveLength(2);
  });

  test('a Retry-After date counts from the server’s own clock', async () => {
    const server = await startServer(
      failing(1, 429, { date: 'Thu, 01 Jan 2026 10:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 10:00:07 GMT' }),
    );
    const { fetch, clock } = opened();
    await fetch(server.origin);
    expect(clock.waits).toEqual([7_000]);
  });

  test('a wait longer than maxRetryAfterMs returns the answer instead', async () => {
    const server = await startServer(failing(1, 429, { 'retry-after': '601' }));
    const { fetch, clock } = opened({ maxRetryAfterMs: 600_000 });
    const response = await fetch(server.origin);
    expect(response.status).toBe(429);
    expect(await response.text()).toBe('not yet');
    expect(clock.waits).toEqual([]);
  });
});

describe('failures on the way', () => {
  test.each([502, 503, 504])('%i is repeated for GET and PUT, and for POST only with retryUnsafe', async (status) => {
    for (const [method, policy, requests] of [
      ['GET', {}, 2],
      ['PUT', {}, 2],
      ['DELETE', {}, 2],
      ['POST', {}, 1],
      ['PATCH', {}, 1],
      ['POST', { retryUnsafe: true }, 2],
    ] as const) {
      const server = await startServer(failing(1, status));
      await opened(policy).fetch(server.origin, { method });
      expect(server.received, `${method} ${JSON.stringify(policy)}`).toHaveLength(requests);
    }
  });

  test('500 and 404 are answers, not failures on the way', async () => {
    for (const status of [500, 404]) {
      const server = await startServer(failing(1, status));
      expect((await opened().fetch(server.origin)).status).toBe(status);
    }
  });

  test('a broken connection is repeated for a GET and not for a POST', async () => {
    const breaking: Answer = (response, _request, index) => (index === 0 ? response.destroy() : response.end('whole'));
    const get = await startServer(breaking);
    expect(await (await opened().fetch(get.origin)).text()).toBe('whole');
    const post = await startServer(breaking);
    await expect(opened().fetch(post.origin, { method: 'POST', body: 'x' })).rejects.toThrow(TypeError);
    expect(post.received).toHaveLength(1);
  });

  test('a POST that was never sent is repeated, and its last error thrown', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const { fetch, clock } = opened();
    await expect(fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' })).rejects.toThrow(NotSentError);
    expect(clock.waits).toHaveLength(3);
  });

  test('waits grow with full jitter from half a second', async () => {
    const server = await startServer(failing(9, 502));
    const { fetch, clock } = opened({ requestRetries: 9 });
    await fetch(server.origin);
    expect(clock.waits).toHaveLength(9);
    for (const [index, wait] of clock.waits.entries()) expect(wait).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** index));
  });
});

describe('giving up', () => {
  test('B17: the last answer is returned with its body when retries are used up', async () => {
    const server = await startServer((response, _request, index) => response.writeHead(503).end(`attempt ${index}`));
    const response = await opened().fetch(server.origin);
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('attempt 3');
    expect(server.received).toHaveLength(4);
  });

  test('B15: a stream is sent once, never again empty', async () => {
    const server = await startServer(failing(1, 429, { 'retry-after': '0' }));
    const body = Readable.toWeb(Readable.from([Buffer.from('once')])) as unknown as NonNullable<RequestInit['body']>;
    const response = await opened().fetch(server.origin, { method: 'PUT', body });
    expect(response.status).toBe(429);
    expect(server.received.map((request) => request.body)).toEqual(['once']);
  });

  test('every replayable body arrives whole on the second attempt', async () => {
    const form = new FormData();
    form.set('name', 'value');
    for (const [body, expected] of [
      ['text', /^text$/],
      [Buffer.from('bytes'), /^bytes$/],
      [new Uint8Array([97, 98]).buffer, /^ab$/],
      [new URLSearchParams({ a: '1' }), /^a=1$/],
      [new Blob(['blob']), /^blob$/],
      [form, /name="name"\r\n\r\nvalue/],
    ] as const) {
      const server = await startServer(failing(1, 429, { 'retry-after': '0' }));
      await opened().fetch(server.origin, { method: 'POST', body });
      expect(server.received).toHaveLength(2);
      expect(server.received[1]?.body).toMatch(expected);
    }
  });

  test('a Request is repeated while its body is small, and sent once, whole, when it is large', async () => {
    const small = await startServer(failing(1, 429, { 'retry-after': '0' }));
    await opened().fetch(new Request(small.origin, { method: 'POST', body: 'small', headers: { 'x-own': '1' } }));
    expect(small.received.map(({ body, headers }) => [body, headers['x-own']])).toEqual([
      ['small', '1'],
      ['small', '1'],
    ]);
    const large = await startServer(failing(1, 429, { 'retry-after': '0' }));
    await opened().fetch(new Request(large.origin, { method: 'POST', body: 'x'.repeat(3_000_000) }));
    expect(large.received.map(({ body }) => body.length)).toEqual([3_000_000]);
  });

  test('an abort ends the wait with the reason of the signal', async () => {
    const server = await startServer(failing(1, 429, { 'retry-after': '60' }));
    const transport = new Transport({ proxy: false });
    onTestFinished(() => transport.close());
    const fetch = retryingFetch(transport.fetch, {}, systemClock);
    const controller = new AbortController();
    const waiting = fetch(server.origin, { signal: controller.signal });
    await expect.poll(() => server.received.length).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

test('requestsDelayMs keeps requests apart, and the default does not', async () => {
  const server = await startServer((response) => response.end());
  const { fetch, clock } = opened({ requestsDelayMs: 200 });
  await Promise.all([fetch(server.origin), fetch(server.origin), fetch(server.origin)]);
  expect(clock.waits).toEqual([200, 200]);
  const free = opened();
  await Promise.all([free.fetch(server.origin), free.fetch(server.origin)]);
  expect(free.clock.waits).toEqual([]);
});

test('numbers that make no policy are refused', () => {
  for (const policy of [{ requestRetries: -1 }, { requestRetries: 1.5 }, { requestsDelayMs: Number.NaN }])
    expect(() => retryingFetch(globalThis.fetch, policy, systemClock)).toThrow(RangeError);
  expect(() => retryingFetch(globalThis.fetch, { retries: 1 } as RetryPolicy, systemClock)).toThrow(TypeError);
});
