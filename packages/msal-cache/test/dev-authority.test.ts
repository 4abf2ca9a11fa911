import type { DevAuthority } from '@tokenry/dev-authority';
import { startDevAuthority } from '@tokenry/dev-authority';
import { createCachePlugin } from '@tokenry/msal-cache';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { trustAuthority } from './authority.js';
import { msalVersions } from './msal-versions.js';
import { refreshTokensIn, usernamesIn } from './records.js';
import { SlowBackend } from './slow-backend.js';

const SCOPES = ['https://graph.microsoft.com/User.Read'];
let authority: DevAuthority;
beforeAll(async () => {
  authority = await startDevAuthority({ refreshTokens: 'one-time-revoking', signingAlgorithm: 'ES256' });
  trustAuthority(authority);
});
afterAll(() => authority.close());

describe.each(msalVersions)(
  'msal-node %s against a server that revokes the sign-in when a refresh token is reused',
  (version, msal) => {
    const appOn = (backend: SlowBackend) =>
      new msal.PublicClientApplication({
        auth: {
          clientId: 'client-id',
          authority: `${authority.url}/${authority.accountOptions.tenantId}`,
          knownAuthorities: [new URL(authority.url).host],
        },
        cache: { cachePlugin: createCachePlugin(backend, { freshReads: true }) },
      });

    it('refreshes 20 users again and again, in applications that take turns, and every sign-in lives', async () => {
      const backend = new SlowBackend(4);
      const users = Array.from({ length: 20 }, (_, user) => `user${user}-${version}@contoso.example`);
      const signIn = (username: string) =>
        appOn(backend).acquireTokenByUsernamePassword({ scopes: SCOPES, username, password: 'password-TEST-1' });
      const accounts = await Promise.all(users.map(async (username) => (await signIn(username))?.account));
      for (let round = 0; round < 3; round++) {
        const app = appOn(backend);
        await Promise.all(
          accounts.map(async (account) => account && app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true })),
        );
      }
      expect([await usernamesIn(backend), new Set(await refreshTokensIn(backend)).size]).toEqual([users.sort(), 20]);
    });

    it('a refresh token that is refused is gone from the store, and signing in again mends it', async () => {
      const backend = new SlowBackend(0);
      const username = `refused-${version}@contoso.example`;
      const request = { scopes: SCOPES, username, password: 'password-TEST-1' };
      const app = appOn(backend);
      const account = (await app.acquireTokenByUsernamePassword(request))?.account;
      if (!account) throw new Error('no account');
      const fault = authority.faults.add({
        endpoint: 'token',
        grantType: 'refresh_token',
        times: 1,
        error: 'invalid_grant',
        suberror: 'bad_token',
        errorCodes: [70000],
      });
      const silent = () => app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
      await expect(silent()).rejects.toMatchObject({ subError: 'bad_token' });
      await vi.waitFor(async () => expect(await refreshTokensIn(backend)).toEqual([]));
      await expect(silent()).rejects.toMatchObject({ errorCode: 'no_tokens_found' });
      expect(fault.hits).toBe(1);
      await app.acquireTokenByUsernamePassword(request);
      expect((await silent()).fromCache).toBe(false);
    });
  },
);
