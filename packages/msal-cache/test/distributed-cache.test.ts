import { AsyncLocalStorage } from 'node:async_hooks';
import { createCacheClient, createPartitionManager } from '@tokenry/msal-cache';
import { describe, expect, it, vi } from 'vitest';
import { confidentialApp, msalVersions } from './msal-versions.js';
import { refreshTokensIn, store, usernamesIn } from './records.js';
import { SlowBackend } from './slow-backend.js';
import { accountOf, homeOf, nameOf, recordOf, refreshToken, SCOPES, StubNetwork } from './stub-network.js';

describe.each(msalVersions)('DistributedCachePlugin of msal-node %s', (_version, msal) => {
  const stage = (maxMs = 0) => {
    const backend = new SlowBackend(maxMs);
    const session = new AsyncLocalStorage<string>();
    const network = new StubNetwork({ delayMs: () => 5 });
    const client = createCacheClient(backend);
    const manager = createPartitionManager({ getKey: () => session.getStore() ?? '' });
    const app = () => confidentialApp({ network, msal, cachePlugin: new msal.DistributedCachePlugin(client, manager) });
    const silent = (user: number, by: ReturnType<typeof app>, forceRefresh = false) =>
      session.run(homeOf(user), () => by.acquireTokenSilent({ account: accountOf(user), scopes: SCOPES, forceRefresh }));
    return { backend, network, app, session, silent };
  };

  it('keeps the users of a shared application apart', async () => {
    const { backend, app, silent } = stage();
    const shared = app();
    for (const user of [1, 2, 3])
      await shared.acquireTokenByCode({ code: `code${user}`, redirectUri: 'http://localhost', scopes: SCOPES });
    const stored = await Promise.all([1, 2, 3].map((user) => usernamesIn(backend, homeOf(user))));
    expect(stored).toEqual([[nameOf(1)], [nameOf(2)], [nameOf(3)]]);
    expect((await silent(3, shared)).accessToken).toBe('at-TEST-3-0');
  });

  it('20 users who refresh at once, each request with an application of its own, are all stored in their own partitions', async () => {
    const { backend, app, silent } = stage(4);
    const users = Array.from({ length: 20 }, (_, user) => user);
    const all = JSON.parse(recordOf(20, { expired: true })) as Record<string, Record<string, { home_account_id: string }>>;
    for (const user of users) {
      const own = Object.entries(all).map(([name, section]) => [
        name,
        Object.fromEntries(Object.entries(section).filter(([, entity]) => entity.home_account_id === homeOf(user))),
      ]);
      await store(backend, JSON.stringify(Object.fromEntries(own)), homeOf(user));
    }
    await Promise.all(users.map((user) => silent(user, app())));
    const stored = await Promise.all(users.map((user) => refreshTokensIn(backend, homeOf(user))));
    expect(stored).toEqual(users.map((user) => [refreshToken(user, 1)]));
  });

  it('what a shared application remembers of a user does not overwrite what another one stored since', async () => {
    const { backend, app, session, silent } = stage();
    const [shared, other] = [app(), app()];
    await shared.acquireTokenByCode({ code: 'code1', redirectUri: 'http://localhost', scopes: SCOPES });
    await session.run(homeOf(1), () => other.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES, forceRefresh: true }));
    await shared.acquireTokenByCode({ code: 'code2', redirectUri: 'http://localhost', scopes: SCOPES });
    expect(await refreshTokensIn(backend, homeOf(1))).toEqual([refreshToken(1, 1)]);
    expect((await silent(2, shared)).fromCache).toBe(true);
  });

  // A limit that the README names: texts do not say whether they come from a refresh or from a sign-in.
  it('a refresh that answers late replaces the refresh token of a sign-in, and keeps the account', async () => {
    const { backend, network, app, silent } = stage();
    await app().acquireTokenByCode({ code: 'code1', redirectUri: 'http://localhost', scopes: SCOPES });
    const late = Promise.withResolvers<void>();
    network.until = late.promise;
    const refreshed = silent(1, app(), true);
    await vi.waitFor(() => expect(network.refreshes()).toBe(1));
    network.until = undefined;
    await app().acquireTokenByCode({ code: 'code1', redirectUri: 'http://localhost', scopes: SCOPES });
    late.resolve();
    await refreshed;
    expect([await usernamesIn(backend, homeOf(1)), await refreshTokensIn(backend, homeOf(1))]).toEqual([
      [nameOf(1)],
      [refreshToken(1, 1)],
    ]);
  });

  it('a removed account is removed from its partition', async () => {
    const { backend, app, session } = stage();
    await app().acquireTokenByCode({ code: 'code1', redirectUri: 'http://localhost', scopes: SCOPES });
    await session.run(homeOf(1), async () => {
      const cache = app().getTokenCache();
      const [account] = await cache.getAllAccounts();
      if (!account) throw new Error('no account');
      await cache.removeAccount(account);
    });
    expect([await usernamesIn(backend, homeOf(1)), await refreshTokensIn(backend, homeOf(1))]).toEqual([[], []]);
  });
});
