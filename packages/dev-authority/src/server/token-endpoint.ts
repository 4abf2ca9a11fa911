import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { TokenCall } from '../calls.js';
import type { AuthorityState } from './authority-state.js';
import type { Credential } from './client-registry.js';
import { breakConnection, delayOrReset, hasAnswer, sendFault } from './fault-answer.js';
import { readForm, sendJson } from './form.js';
import { type RecordedCall, sha256Hex } from './recorder.js';
import { type Refusal, refusal, refusalBody } from './refusal.js';
import { factsOf, type RequestFacts, rememberFacts } from './request-facts.js';
import { internalScope, parseScopes } from './scopes.js';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

/**
 * Takes a token request, applies faults and Entra ID's own rules, and leaves the form on the request for oidc-provider.
 * @returns whether oidc-provider shall go on
 */
export async function acceptTokenRequest(
  request: IncomingMessage,
  response: ServerResponse,
  state: AuthorityState,
  tenant: string,
): Promise<boolean> {
  const form = await readForm(request);
  // msal-node shortens the grant type of the device code flow.
  if (form.grant_type === 'device_code') form.grant_type = DEVICE_CODE;
  const credential = credentialOf(request, form);
  const clientId = form.client_id ?? '';
  const grantType = form.grant_type ?? '';
  const call = state.recorder.begin(describe(form, clientId, grantType, tenant));
  const fault = state.faults.take({ endpoint: 'token', grantType, clientId, path: request.url ?? '' });
  if (fault) {
    if (await delayOrReset(fault, response)) return endWith(call, { outcome: 'reset-before' });
    if (hasAnswer(fault)) return endWith(call, { outcome: 'refused', ...sendFault(fault, response) });
  }
  const refused =
    state.clients.refusalOf(clientId, { credential }) ??
    refusalOfScope(grantType, form.scope) ??
    (await refusalOfPoll(form, state));
  if (refused) {
    endWith(call, { outcome: 'refused', status: refused.status, error: refused.error });
    sendJson(response, refused.status, refusalBody(refused));
    return false;
  }
  const resetAfterCommit = fault?.reset === 'after-commit';
  rememberFacts(request, { credential, redirectUri: form.redirect_uri, scope: form.scope, call, resetAfterCommit });
  Object.assign(request, { body: internalForm(form, credential) });
  return true;
}

/** Waits for oidc-provider's answer, then shapes and records it. A Koa middleware. */
export async function finishTokenRequest(
  ctx: KoaContextWithOIDC,
  state: AuthorityState,
  complete: (body: Record<string, unknown>) => void,
): Promise<void> {
  const facts = factsOf(ctx.req);
  if (!facts?.call) return;
  const body = ctx.body as Record<string, unknown> | undefined;
  if (facts.refusal || ctx.status >= 400 || !body?.access_token) {
    refuse(ctx, facts, facts.call);
    return;
  }
  complete(body);
  const issued = body.refresh_token;
  const outcome = facts.resetAfterCommit ? 'reset-after-commit' : 'issued';
  const person = state.directory.byAccountId(ctx.oidc.entities.Account?.accountId ?? '');
  facts.call.end({
    outcome,
    status: ctx.status,
    ...(typeof issued === 'string' ? { issuedRefreshTokenSha256: sha256Hex(issued) } : {}),
    ...(person ? { username: person.username } : {}),
  });
  if (!facts.resetAfterCommit) return;
  ctx.respond = false;
  breakConnection(ctx.res);
}

function refuse(ctx: KoaContextWithOIDC, facts: RequestFacts, call: RecordedCall): void {
  const answer: Refusal = facts.refusal ?? {
    status: 500,
    error: 'server_error',
    message: 'The dev authority failed.',
    codes: [90033],
  };
  ctx.status = answer.status;
  ctx.body = refusalBody(answer);
  const { status, error, suberror } = answer;
  call.end({ outcome: 'refused', status, error, ...(suberror === undefined ? {} : { suberror }) });
}

function endWith(call: RecordedCall, changes: Partial<TokenCall>): false {
  call.end(changes);
  return false;
}

function describe(form: Record<string, string>, clientId: string, grantType: string, tenant: string): TokenCall {
  return {
    at: Date.now(),
    grantType,
    clientId,
    tenant,
    scope: form.scope ?? '',
    outcome: 'pending',
    ...(form.claims === undefined ? {} : { claims: form.claims }),
    ...(form.refresh_token === undefined ? {} : { refreshTokenSha256: sha256Hex(form.refresh_token) }),
  };
}

/** Finds the credential and makes sure that `form.client_id` is there, whichever way the client was named. */
function credentialOf(request: IncomingMessage, form: Record<string, string>): Credential {
  const basic = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':').map(decodeFormValue);
    form.client_id ??= id;
    return { kind: 'secret', secret };
  }
  if (form.client_assertion !== undefined) return { kind: 'assertion' };
  return form.client_secret === undefined ? { kind: 'none' } : { kind: 'secret', secret: form.client_secret };
}

const decodeFormValue = (text: string) => new URLSearchParams(`v=${text}`).get('v') ?? '';

/** Entra ID wants exactly one `.default` scope from a client that acts for itself, and one resource from everybody. */
function refusalOfScope(grantType: string, scope: string | undefined): Refusal | undefined {
  const { resources } = parseScopes(scope);
  if (grantType === 'client_credentials' && !/^\S+\/\.default$/.test(scope?.trim() ?? '') && scope !== '.default')
    return refusal(
      'invalid_scope',
      1002012,
      `The provided value for scope ${scope ?? ''} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
    );
  if (resources.size > 1)
    return refusal(
      'invalid_scope',
      28000,
      `Provided value for the input parameter scope is not valid because it contains more than one resource. Scope ${scope ?? ''} is not valid.`,
    );
  return undefined;
}

/** `slow_down` is a variant of "still pending" (RFC 8628, 3.5): once somebody has decided, the answer is given at once. */
async function refusalOfPoll(
  { grant_type, device_code }: Record<string, string>,
  state: AuthorityState,
): Promise<Refusal | undefined> {
  if (grant_type !== DEVICE_CODE || device_code === undefined) return undefined;
  const code = await state.store.shelf('DeviceCode').find(device_code);
  if (!code || code.accountId !== undefined || code.error !== undefined) return undefined;
  return state.polls.refusalOf(device_code, state.settings.deviceCodeIntervalSeconds);
}

/** The form as oidc-provider shall see it: its own scope names, and the resource spelled out where it reads one. */
function internalForm(form: Record<string, string>, credential: Credential): Record<string, string> {
  const asked = parseScopes(form.scope);
  const [resource] = asked.resources.keys();
  const internal: Record<string, string> = { ...form };
  if (form.scope !== undefined) internal.scope = internalScope(asked);
  if (form.grant_type === 'client_credentials' && resource !== undefined) internal.resource = resource;
  if (credential.kind === 'none') delete internal.client_secret;
  return internal;
}
