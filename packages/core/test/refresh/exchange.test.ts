import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { NotSentError, TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import type { TokenProvider } from '../../src/provider/token-provider.js';
import { exchangeOnce } from '../../src/refresh/exchange.js';
import { TokenCache } from '../../src/tokens/token-cache.js';

const URL_OF_TOKENS = 'https://login.example/token';
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
    const first = await fetch(URL_OF_TOKENS);
    if (first.ok) throw new TokenEndpointError({ error: 'unexpected', status: 200 });
    stall();
    await fetch(URL_OF_TOKENS);
  });
  expect(await run()).toBe(false);
  expect(sent()).toBe(1);
});

test('a request after one that never left is not sent once the lease ran out', async () => {
  const { run, sent } = setUp([0, 200], async (fetch, stall) => {
    await fetch(URL_OF_TOKENS).catch(() => undefined);
    stall();
    await fetch(URL_OF_TOKENS);
  });
  expect(await run()).toBe(false);
  expect(sent()).toBe(1);
});

test('a request after an answer belongs to it, however long the lease still lasts', async () => {
  const { run, sent } = setUp([200, 200], async (fetch, stall) => {
    await fetch(URL_OF_TOKENS);
    stall();
    await fetch('https://login.example/userinfo');
  });
  expect(await run()).toBe(true);
  expect(sent()).toBe(2);
});
