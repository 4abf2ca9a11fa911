import { randomBytes, randomUUID } from 'node:crypto';
import Provider, { type Configuration, interactionPolicy, type JWK, type KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState, SigningKey } from './authority-state.js';
import { completeDeviceAnswer } from './device-endpoint.js';
import { registerGrants } from './grants/register-grants.js';
import { type ProviderError, RefusalError, refusalFrom } from './refusal.js';
import { factsOf } from './request-facts.js';
import { GRAPH, OFFLINE, scopeFor } from './scopes.js';
import { accessTokenClaims, CLAIMS_BY_SCOPE, clientInfo, idTokenClaims } from './token-claims.js';
import { finishTokenRequest } from './token-endpoint.js';

/** oidc-provider set up as one Entra tenant. All tenants share the store, so that a refresh token serves each of them. */
export function makeTenantProvider(tenantId: string, key: SigningKey, state: AuthorityState): Provider {
  const provider = new Provider(`${state.origin}/${tenantId}/v2.0`, configuration(tenantId, key, state));
  // Koa would print failures; they reach the caller as 5xx answers instead.
  provider.silent = true;
  // Recognisable on purpose: a test can search its output for them.
  Object.assign(provider.RefreshToken.prototype, { generateTokenId: () => `rt-TEST-${randomBytes(32).toString('base64url')}` });
  registerGrants(provider, tenantId, state);
  const keepRefusal = (ctx: KoaContextWithOIDC, error: Error) => {
    const facts = factsOf(ctx.req);
    if (facts) facts.refusal = error instanceof RefusalError ? error.refusal : refusalFrom(error as ProviderError);
  };
  provider.on('grant.error', keepRefusal);
  provider.on('device_authorization.error', keepRefusal);
  provider.on('server_error', keepRefusal);
  provider.use(async (ctx, next) => {
    await next();
    const oidcContext = ctx as KoaContextWithOIDC;
    completeDeviceAnswer(oidcContext, state);
    await finishTokenRequest(oidcContext, state, (body) => completeAnswer(oidcContext, body, state));
  });
  return provider;
}

/** Adds what Entra ID sends and OAuth does not know. */
function completeAnswer(ctx: KoaContextWithOIDC, body: Record<string, unknown>, state: AuthorityState): void {
  body.ext_expires_in = body.expires_in;
  const person = state.directory.byAccountId(ctx.oidc.entities.Account?.accountId ?? '');
  if (person) body.client_info = clientInfo(person);
  else delete body.scope;
  if (state.settings.refreshInSeconds !== undefined) body.refresh_in = state.settings.refreshInSeconds;
}

function configuration(tenantId: string, key: SigningKey, state: AuthorityState): Configuration {
  const { settings } = state;
  const jwk = key.privateKey.export({ format: 'jwk' }) as JWK;
  return {
    adapter: (model) => (model === 'Client' ? clientAdapter(state) : state.store.shelf(model)),
    jwks: { keys: [{ ...jwk, kid: key.kid, alg: 'RS256', use: 'sig' }] },
    cookies: { keys: [randomUUID()] },
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
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

/** What tokens for a resource may carry, given the scopes of the request at hand. */
export function resourceServer(resource: string, scope: string, state: AuthorityState) {
  return {
    scope: scopeFor(resource, scope, state.settings.withheldScopes),
    audience: resource,
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: state.accessTokenSeconds,
    jwt: { sign: { alg: 'RS256' as const } },
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

/** A new grant with everything that is asked for, once the person has agreed to this application. */
async function grantIfConsented(ctx: KoaContextWithOIDC, state: AuthorityState) {
  const { client, account, provider, resourceServers, result } = ctx.oidc;
  if (!client || !account) return undefined;
  const consent = `${account.accountId} ${client.clientId}`;
  if (result?.consent) state.consents.add(consent);
  if (!state.consents.has(consent)) return undefined;
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope(`openid profile email ${OFFLINE}`);
  for (const [resource, server] of Object.entries(resourceServers ?? {})) grant.addResourceScope(resource, server.scope);
  await grant.save();
  return grant;
}
