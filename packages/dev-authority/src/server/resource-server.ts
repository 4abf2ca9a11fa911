import type { AuthorityState } from './authority-state.js';
import { scopeFor } from './scopes.js';

/** What tokens for a resource may carry, given the scopes of the request at hand. */
export function resourceServer(resource: string, scope: string, state: AuthorityState) {
  return {
    scope: scopeFor(resource, scope, state.settings.withheldScopes),
    audience: resource,
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: state.accessTokenSeconds,
    jwt: { sign: { alg: state.settings.signingAlgorithm } },
  };
}
