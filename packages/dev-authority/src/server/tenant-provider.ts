import { randomBytes } from 'node:crypto';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from './authority-state.js';
import { completeDeviceAnswer } from './device-endpoint.js';
import { registerGrants } from './grants/register-grants.js';
import { providerConfiguration } from './provider-configuration.js';
import { type ProviderError, RefusalError, refusalFrom } from './refusal.js';
import { factsOf } from './request-facts.js';
import type { SigningKey } from './signing-key.js';
import { clientInfo } from './token-claims.js';
import { finishTokenRequest } from './token-endpoint.js';

/** oidc-provider set up as one Entra tenant. All tenants share the store, so that a refresh token serves each of them. */
export function makeTenantProvider(tenantId: string, key: SigningKey, state: AuthorityState): Provider {
  const provider = new Provider(`${state.origin}/${tenantId}/v2.0`, providerConfiguration(tenantId, key, state));
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
