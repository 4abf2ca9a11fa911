import { randomUUID } from 'node:crypto';
import Provider, { type Configuration, interactionPolicy, type JWK, type KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from './authority-state.js';
import { grantIfConsented } from './consent.js';
import { factsOf } from './request-facts.js';
import { resourceServer } from './resource-server.js';
import { GRAPH, OFFLINE, scopeFor } from './scopes.js';
import type { SigningKey } from './signing-key.js';
import { accessTokenClaims, CLAIMS_BY_SCOPE, idTokenClaims } from './token-claims.js';

/** oidc-provider's configuration for one tenant. */
export function providerConfiguration(tenantId: string, key: SigningKey, state: AuthorityState): Configuration {
  const { settings } = state;
  const jwk = key.privateKey.export({ format: 'jwk' }) as JWK;
  return {
    adapter: (model) => (model === 'Client' ? clientAdapter(state) : state.store.shelf(model)),
    jwks: { keys: [{ ...jwk, kid: key.kid, alg: key.alg, use: 'sig' }] },
    cookies: { keys: [randomUUID()] },
    clientDefaults: { id_token_signed_response_alg: key.alg },
    clientAuthMethods: ['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
    // Entra ID allows five minutes between clocks.
    clockTolerance: 300,
    scopes: ['openid', 'profile', 'email', OFFLINE],
    claims: CLAIMS_BY_SCOPE,
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    responseTypes: ['code'],
    routes: {
      authorization: '/oauth2/v2.0/authorize',
      token: '/oauth2/v2.0/token',
      device_authorization: '/oauth2/v2.0/devicecode',
      code_verification: '/oauth2/v2.0/device',
      jwks: '/discovery/v2.0/keys',
    },
    ttl: {
      AccessToken: () => state.accessTokenSeconds,
      ClientCredentials: () => state.accessTokenSeconds,
      AuthorizationCode: 600,
      DeviceCode: 900,
      IdToken: 3600,
      Interaction: 3600,
      Session: 86_400,
      Grant: settings.refreshTokenSeconds,
      RefreshToken: settings.refreshTokenSeconds,
    },
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, _client, source) => source.scopes.has(OFFLINE),
    findAccount: (_ctx, accountId) => {
      const person = state.directory.byAccountId(accountId);
      return person && { accountId, claims: () => idTokenClaims(person, tenantId, state) };
    },
    loadExistingGrant: (ctx) => grantIfConsented(ctx, state),
    interactions: { policy: policy(), url: (_ctx, { uid }) => `/${tenantId}/dev/sign-in/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, _client, oneOf) => preferred(ctx, oneOf),
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => resourceServer(resource, scopeOfRequest(ctx), state),
      },
    },
    formats: {
      customizers: {
        jwt: (_ctx, token, jwt) => {
          const person = 'accountId' in token ? state.directory.byAccountId(String(token.accountId)) : undefined;
          const { scope: _scope, client_id: _clientId, ...standard } = jwt.payload as Record<string, unknown>;
          const claims = accessTokenClaims({ clientId: token.clientId ?? '', scope: token.scope ?? '', tenantId, person }, state);
          jwt.payload = { ...standard, nbf: standard.iat, ...claims } as typeof jwt.payload;
          jwt.header = { typ: 'JWT' };
        },
      },
    },
  };
}

/** The scopes a request is about: its own, or those of the code it redeems. */
function scopeOfRequest(ctx: KoaContextWithOIDC): string {
  const { params, entities } = ctx.oidc;
  const source = entities.AuthorizationCode ?? entities.DeviceCode;
  return source?.scope ?? (typeof params?.scope === 'string' ? params.scope : '');
}

/** Of several resources of one sign-in, the one the token request names by its scopes. */
function preferred(ctx: KoaContextWithOIDC, oneOf: readonly string[] | undefined): string {
  const scope = factsOf(ctx.req)?.scope ?? '';
  return oneOf?.find((resource) => scopeFor(resource, scope, []) !== scopeFor('', scope, [])) ?? oneOf?.[0] ?? GRAPH;
}

function clientAdapter(state: AuthorityState) {
  const shelf = state.store.shelf('Client');
  shelf.find = async (clientId) =>
    state.clients.metadata(clientId, factsOf(Provider.ctx?.req) ?? { credential: { kind: 'none' } });
  return shelf;
}

function policy() {
  const prompts = interactionPolicy.base();
  // Entra ID asks native clients no more often than others, and nobody here asks for claims by name.
  prompts.get('consent')?.checks.remove('native_client_prompt');
  return prompts;
}
