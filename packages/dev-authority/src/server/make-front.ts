import type Provider from 'oidc-provider';
import type { AuthorityState } from './authority-state.js';
import { Front } from './front.js';
import { makeTenantProvider } from './tenant-provider.js';

const MAX_TENANTS = 100;

/** Puts the endpoints together. */
export function makeFront(state: AuthorityState): Front {
  const tenants = new Map<string, Promise<Provider>>();
  return new Front(state, (tenantId) => {
    const known = tenants.get(tenantId);
    if (known) return known;
    if (tenants.size >= MAX_TENANTS) throw new RangeError('Too many tenants.');
    const provider = state.signingKey.then((key) => makeTenantProvider(tenantId, key, state));
    tenants.set(tenantId, provider);
    return provider;
  });
}
