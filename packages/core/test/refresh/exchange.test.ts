import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { NotSentError, TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import type { TokenProvider } from '../../src/provider/token-provider.js';
import { exchangeOnce } from '../../src/refresh/exchange.js';
import { TokenCache } from '../../src/tokens/token-cache.js';

const URL_OF_TOKENS = 'https://login.example/token';
const post = (fetch: typeof globalThis.fetch) => fetch(URL_OF_TOKENS, { method: 'POST' });
const get = (fetch: typeof globalThis.fetch) => fetch('https://login.example/userinfo');
const grant = { grantType: 'refresh_token', homeAccountId: 'uid-1.utid-1' } as const;

/** A server that answers `statuses` in turn (0: it is not reached), and a provider that works with it as `exchange` says. */
function setUp(statuses: readonly number[], exchange: (fetch: typeof globalThis.fetch, stall: () => void) => Promise<void>) {
  let sent = 0;
  let lasting = true;
  const fetch = async () => {
    const status = statuses[sent++] ?? 500;
    if (status === 0) throw new NotSentError('no route');
    return new Response('{}', { status });
  };
  const provider: TokenProvider = {
    issuer: 'https://login.example',
    clientId: 'client-1',
    environments: ['login.example'],
    classify: () => ({ kind: 'transient' }),
    exchange: (_grant, _slice, context) =>
      exchange(context.fetch, () => {
        lasting = false;
      }),
  };
  const context = { scopes: [], fetch, clock: systemClock };
  const run = () => exchangeOnce(provider, grant, new TokenCache(), context, { lasts: () => lasting });
  return { run, sent: () => sent };
}

test('a request after a refusal is not sent once the lease ran out: a new secret took long to read', async () => {
  const { run, sent } = setUp([401, 200], async (fetch, stall) => {
    const first = await post(fetch);
    if (first.ok) throw new TokenEndpointError({ error: 'unexpected', status: 200 });
    stall();
    await post(fetch);
  });
  expect(await run()).toBe(false);
  expect(sent()).toBe(1);
});

test('a request after one that never left is not sent once the lease ran out', async () => {
  const { run, sent } = setUp([0, 200], async (fetch, stall) => {
    await post(fetch).catch(() => undefined);
    stall();
    await post(fetch);
  });
  expect(await run()).toBe(false);
  expect(sent()).toBe(1);
});

test('the token call is not sent once the lease ran out, though something was asked before it that spends nothing', async () => {
  const { run, sent } = setUp([200, 200], async (fetch, stall) => {
    await get(fetch);
    stall();
    await post(fetch);
  });
  expect(await run()).toBe(false);
  expect(sent()).toBe(1);
});

test.each([
  ['a token', [200, 200]],
  ['a token, and a refusal of something else after it', [200, 404, 200]],
  ['a token, and a request after it that never left', [200, 0, 200]],
  ['a failure of a gateway, behind which the server may have acted', [502, 200]],
])('what follows %s belongs to it, however long the lease still lasts', async (_what, statuses) => {
  const { run, sent } = setUp(statuses, async (fetch, stall) => {
    await post(fetch);
    for (let more = 1; more < statuses.length; more++) {
      stall();
      await get(fetch).catch(() => undefined);
    }
  });
  expect(await run()).toBe(true);
  expect(sent()).toBe(statuses.length);
});

test.each([
  ['never left', 0, NotSentError],
  ['is throttled', 429, TokenEndpointError],
])('a token call that was taken is not sent again because what follows it %s', async (_what, status, kind) => {
  const { run, sent } = setUp([200, status, 200, 200], async (fetch) => {
    await post(fetch);
    const next = await get(fetch);
    if (!next.ok) throw new TokenEndpointError({ error: 'slow_down', status: next.status, retryAfterMs: 1 });
  });
  await expect(run()).rejects.toBeInstanceOf(kind);
  expect(sent()).toBe(2);
});
