import { ClientSecretCredential, useIdentityPlugin } from '@azure/identity';
import { startDevAuthority } from '@tokenry/dev-authority';
import { MemoryTokenBackend } from '@tokenry/memory';
import { identityPlugin } from '@tokenry/msal-cache';
import { expect, it } from 'vitest';
import { trustAuthority } from './authority.js';

it('credentials of @azure/identity find the tokens that an earlier one stored', async () => {
  const authority = await startDevAuthority();
  trustAuthority(authority);
  const backend = new MemoryTokenBackend();
  useIdentityPlugin(identityPlugin(backend, { tokenKey: (name) => `identity-${name}` }));
  const credential = () =>
    new ClientSecretCredential(authority.accountOptions.tenantId, 'client-id', 'secret-TEST-1', {
      authorityHost: authority.url,
      disableInstanceDiscovery: true,
      tokenCachePersistenceOptions: { enabled: true },
    });
  const first = await credential().getToken('https://graph.microsoft.com/.default');
  const second = await credential().getToken('https://graph.microsoft.com/.default');
  expect(second?.token).toBe(first?.token);
  expect(authority.calls({ grantType: 'client_credentials' })).toHaveLength(1);
  const keys: string[] = [];
  for await (const key of backend.listKeys()) keys.push(key);
  expect(keys).toEqual(['identity-msal.cache.nocae']);
  await authority.close();
});

it('anything but the context of @azure/identity is refused', () => {
  const plugin = identityPlugin(new MemoryTokenBackend());
  for (const context of [undefined, {}, { cachePluginControl: {} }])
    expect(() => plugin(context)).toThrow(expect.objectContaining({ code: 'TOKENRY_INVALID_ARGUMENT' }));
});
