import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from '../authority-state.js';
import { onBehalfOfGrant } from './on-behalf-of-grant.js';
import { passwordGrant } from './password-grant.js';
import { refreshTokenGrant } from './refresh-token-grant.js';

type Grant = (ctx: KoaContextWithOIDC, tenantId: string, state: AuthorityState) => Promise<void>;

/** Teaches oidc-provider Entra ID's grants, and its idea of a refresh in place of the one in the specification. */
export function registerGrants(provider: Provider, tenantId: string, state: AuthorityState): void {
  const register = (name: string, grant: Grant, params: readonly string[]) =>
    provider.registerGrantType(name, (ctx) => grant(ctx as KoaContextWithOIDC, tenantId, state), [...params, 'scope'], 'scope');
  register('refresh_token', refreshTokenGrant, ['refresh_token']);
  register('password', passwordGrant, ['username', 'password']);
  register('urn:ietf:params:oauth:grant-type:jwt-bearer', onBehalfOfGrant, ['assertion', 'requested_token_use']);
}
