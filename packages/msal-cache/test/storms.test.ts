import { setTimeout as sleep } from 'node:timers/promises';
import { createCachePlugin } from '@tokenry/msal-cache';
import { describe, expect, it } from 'vitest';
import { msalVersions, publicApp } from './msal-versions.js';
import { refreshTokensIn, store } from './records.js';
import { SlowBackend } from './slow-backend.js';
import { accountOf, recordOf, SCOPES, StubNetwork } from './stub-network.js';

describe.each(msalVersions)('with msal-node %s', { timeout: 180_000 }, (_version, msal) => {
  // A plugin that awaits anything after a read fails about one of eight of these calls.
  it('1 000 cached reads of 200 users within a second meet no cleared memory', async () => {
    const backend = new SlowBackend(4);
    await store(backend, recordOf(200));
    const network = new StubNetwork();
    const app = publicApp({ network, msal, cachePlugin: createCachePlugin(backend, { freshReads: true }) });
    const results = await Promise.allSettled(
      Array.from({ length: 1_000 }, async (_, call) => {
        await sleep(Math.random() * 1_000);
        return app.acquireTokenSilent({ account: accountOf(call % 200), scopes: SCOPES });
      }),
    );
    const right = results.filter(
      (result, call) => result.status === 'fulfilled' && result.value.accessToken === `at-TEST-${call % 200}-stored`,
    );
    expect([right.length, network.questions.length]).toEqual([1_000, 0]);
  });

  it('reads that follow on one another without any wait in the store meet none either', async () => {
    const backend = new SlowBackend(0);
    await store(backend, recordOf(20));
    const app = publicApp({ network: new StubNetwork(), msal, cachePlugin: createCachePlugin(backend) });
    const errors: unknown[] = [];
    const reader = async (user: number) => {
      for (let round = 0; round < 20; round++) {
        for (let microtask = 0; microtask < (user + round) % 7; microtask++) await Promise.resolve();
        await app.acquireTokenSilent({ account: accountOf(user), scopes: SCOPES }).catch((error) => errors.push(error));
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, user) => reader(user)));
    expect(errors).toEqual([]);
  });

  // 36 to 58 of 100 with the obvious plugin at 1 to 4 ms, 18 to 27 at 20 ms.
  it.each([0, 4, 20])('100 users refreshing within a second are all stored, with a store that takes up to %d ms', async (ms) => {
    const backend = new SlowBackend(ms);
    await store(backend, recordOf(100, { expired: true }));
    const network = new StubNetwork({ delayMs: () => 50, oneTime: true });
    const app = publicApp({ network, msal, cachePlugin: createCachePlugin(backend, { freshReads: true }) });
    await Promise.all(
      Array.from({ length: 100 }, async (_, user) => {
        await sleep(Math.random() * 1_000);
        await app.acquireTokenSilent({ account: accountOf(user), scopes: SCOPES });
      }),
    );
    const secrets = await refreshTokensIn(backend);
    expect(secrets.filter((secret) => secret.endsWith('-1-x'))).toHaveLength(100);
    expect([secrets.length, network.refreshes()]).toEqual([100, 100]);
  });
});
