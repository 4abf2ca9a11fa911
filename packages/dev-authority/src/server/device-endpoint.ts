import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from './authority-state.js';
import { delayOrReset, hasAnswer, sendFault } from './fault-answer.js';
import { readForm, sendHtml, sendJson } from './form.js';
import { devicePage, messagePage } from './pages/sign-in-pages.js';
import { parameter } from './parameter.js';
import { refusalBody } from './refusal.js';
import { factsOf, rememberFacts } from './request-facts.js';
import { internalScope, OFFLINE, parseScopes, scopeFor } from './scopes.js';

/** Takes a device authorization request and prepares it for oidc-provider. */
export async function acceptDeviceRequest(
  request: IncomingMessage,
  response: ServerResponse,
  state: AuthorityState,
): Promise<boolean> {
  // msal-node sends these parameters in the body, some clients in the query.
  const query = Object.fromEntries(new URL(request.url ?? '/', state.origin).searchParams);
  const form = { ...query, ...(await readForm(request)) } as Record<string, string>;
  const clientId = form.client_id ?? '';
  const fault = state.faults.take({ endpoint: 'devicecode', clientId, path: request.url ?? '' });
  if (fault) {
    if (await delayOrReset(fault, response)) return false;
    if (hasAnswer(fault)) {
      sendFault(fault, response);
      return false;
    }
  }
  const credential =
    form.client_secret === undefined ? ({ kind: 'none' } as const) : ({ kind: 'secret', secret: form.client_secret } as const);
  const refused = state.clients.refusalOf(clientId, { credential });
  if (refused) {
    sendJson(response, refused.status, refusalBody(refused));
    return false;
  }
  const asked = parseScopes(form.scope);
  rememberFacts(request, { credential, scope: form.scope });
  const resource = [...asked.resources.keys()];
  Object.assign(request, { body: { ...form, scope: internalScope(asked), ...(resource.length > 0 ? { resource } : {}) } });
  return true;
}

/** Adds what Entra ID sends besides: without `interval` msal-node polls every millisecond. */
export function completeDeviceAnswer(ctx: KoaContextWithOIDC, state: AuthorityState): void {
  const body = ctx.body as Record<string, unknown> | undefined;
  const refused = factsOf(ctx.req);
  if (refused?.refusal && !refused.call) ctx.body = refusalBody(refused.refusal);
  if (!body?.device_code) return;
  const uri = `${state.origin}/common/oauth2/deviceauth`;
  body.verification_uri = uri;
  body.verification_uri_complete = `${uri}?user_code=${String(body.user_code)}`;
  body.interval = state.settings.deviceCodeIntervalSeconds;
  body.message = `To sign in, use a web browser to open the page ${uri} and enter the code ${String(body.user_code)} to authenticate.`;
}

/** The page a person opens, and the answer it posts. */
export async function handleDevicePage(
  request: IncomingMessage,
  response: ServerResponse,
  provider: Provider,
  state: AuthorityState,
): Promise<void> {
  if (request.method !== 'POST') {
    const userCode = new URL(request.url ?? '/', state.origin).searchParams.get('user_code') ?? '';
    return sendHtml(response, 200, devicePage(state.directory.list(), userCode));
  }
  const form = await readForm(request);
  const done = await decide(form, provider, state);
  if (done) sendHtml(response, 200, messagePage('All done', 'You can close this window and go back to your device.'));
  else sendHtml(response, 400, messagePage('Enter code', 'That code did not work. Check it and try again.'));
}

async function decide(form: Record<string, string>, provider: Provider, state: AuthorityState): Promise<boolean> {
  const userCode = (form.user_code ?? '').toUpperCase().replace(/\W/g, '');
  const code = await provider.DeviceCode.findByUserCode(userCode);
  if (!code || code.accountId !== undefined || code.error !== undefined || code.clientId === undefined) return false;
  if (form.decline !== undefined) {
    Object.assign(code, { error: 'access_denied', errorDescription: 'The user declined.' });
  } else {
    const { accountId } = state.directory.byUsername(form.username ?? '');
    const scope = parameter(code.params?.scope);
    const grant = new provider.Grant({ accountId, clientId: code.clientId });
    grant.addOIDCScope(`openid profile email ${OFFLINE}`);
    const resources = [code.params?.resource ?? []].flat().map(String);
    for (const resource of resources) grant.addResourceScope(resource, scopeFor(resource, scope, []));
    const grantId = await grant.save();
    const resource = resources.length > 0 ? { resource: resources } : {};
    Object.assign(code, { accountId, grantId, scope, authTime: Math.floor(Date.now() / 1000), ...resource });
  }
  await code.save();
  return true;
}
