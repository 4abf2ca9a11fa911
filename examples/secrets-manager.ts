// Tokens as secrets of AWS, beside the other secrets of a service. Secrets Manager has nothing to build a lease on, so the
// leases that make a refresh happen once come from Redis.
//
//   docker compose -f services/compose.yaml up moto redis --wait
//   node_modules/.bin/node examples/secrets-manager.ts --endpoint http://127.0.0.1:5000 --redis redis://127.0.0.1:6379
import { parseArgs } from 'node:util';
import { Account } from '@tokenry/core';
import { RedisLeases } from '@tokenry/redis';
import { SecretsManagerTokenBackend, type SecretsManagerTokenBackendOptions } from '@tokenry/secrets-manager';
import { localAuthority } from './dev.ts';

// Without an endpoint: Amazon's, with region and credentials from where the vendor's SDK always looks for them.
const { endpoint, redis } = parseArgs({
  options: { endpoint: { type: 'string' }, redis: { type: 'string', default: 'redis://127.0.0.1:6379' } },
}).values;
const credentials = { accessKeyId: 'example', secretAccessKey: 'secret-TEST-example' };
const clientOptions: SecretsManagerTokenBackendOptions['clientOptions'] = endpoint
  ? { endpoint, region: 'us-east-1', credentials }
  : {};
await using authority = await localAuthority({ accessTokenSeconds: 120, refreshTokens: 'one-time-revoking' });

const service = () => {
  const leases = new RedisLeases({ clientOptions: { url: redis }, keyPrefix: 'tokenry-example:' });
  const tokenBackend = new SecretsManagerTokenBackend({
    secretName: 'tokenry-example/mailbox',
    clientOptions,
    leases,
    tags: { service: 'tokenry-example' },
    forceDeleteWithoutRecovery: true, // an example leaves nothing behind; by default a deleted secret can be restored
  });
  const account = new Account(['mailbox'], { ...authority.accountOptions, tokenBackend, scopes: 'basic' });
  return { account, tokenBackend, leases };
};
const services = [service(), service()] as const;
const [one, other] = services;
await one.account.authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });
console.log(`the other service is signed in: ${await other.account.isAuthenticated()}`);
console.log(`leases for all processes: ${one.tokenBackend.capabilities.leases}`);

// A token of two minutes, and everybody wants ten.
authority.setAccessTokenSeconds(3_600);
const callers = services.flatMap(({ account }) => Array.from({ length: 20 }, () => account));
await Promise.all(callers.map((account) => account.getAccessToken({ minimumLifetimeMs: 600_000 })));
console.log(`callers: ${callers.length}, refreshes: ${authority.calls({ grantType: 'refresh_token' }).length}`);

await one.tokenBackend.deleteToken();
for (const { account, tokenBackend, leases } of services) {
  await account.close();
  await tokenBackend.close();
  await leases.close();
}
