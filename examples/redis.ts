// A fleet on one Redis: every machine hands out the same tokens, and each token is refreshed once.
//
//   docker compose -f services/compose.yaml up redis --wait
//   node_modules/.bin/node examples/redis.ts --url redis://127.0.0.1:6379
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Account } from '@tokenry/core';
import { RedisTokenBackend } from '@tokenry/redis';
import { localAuthority } from './dev.ts';

const { url } = parseArgs({ options: { url: { type: 'string', default: 'redis://127.0.0.1:6379' } } }).values;
await using authority = await localAuthority({ accessTokenSeconds: 120, refreshTokens: 'one-time-revoking' });

// What each machine has: a backend and an account of its own. Changes elsewhere are heard of at once (`invalidation`), or
// else within 30 seconds.
const machine = () => {
  const tokenBackend = new RedisTokenBackend({ clientOptions: { url }, keyPrefix: 'tokenry-example:', invalidation: true });
  const account = new Account(['fleet'], { ...authority.accountOptions, tokenBackend, scopes: 'basic' });
  return { tokenBackend, account };
};
const machines = [machine(), machine(), machine()] as const;
const [first, second, third] = machines;

// Ada signs in at one machine; the record is called as the application calls her.
await first.account.forKey('user-42').authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });

// Another one knows her.
const ada = second.account.forKey('user-42');
const me = (await (await ada.connection.get('/me')).json()) as { displayName: string };
console.log(`GET /me on the second machine: ${me.displayName}`);

// Her token is good for two minutes. Everybody wants ten, at once; the refresh token works once only.
authority.setAccessTokenSeconds(3_600);
const callers = machines.flatMap(({ account }) => Array.from({ length: 50 }, () => account.forKey('user-42')));
const tokens = await Promise.all(callers.map((caller) => caller.getAccessToken({ minimumLifetimeMs: 600_000 })));
console.log(`callers: ${callers.length}, different tokens: ${new Set(tokens.map(({ token }) => token)).size}`);
console.log(`refreshes: ${authority.calls({ grantType: 'refresh_token' }).length}`);

// The others hear of a sign-out within a millisecond or two.
await third.account.forKey('user-42').signOut();
while (await ada.isAuthenticated()) await setTimeout(1);
console.log('the second machine knows that she signed out');

await third.tokenBackend.deleteToken({ tokenKey: 'user-42' });
for (const { account, tokenBackend } of machines) {
  await account.close();
  await tokenBackend.close();
}
