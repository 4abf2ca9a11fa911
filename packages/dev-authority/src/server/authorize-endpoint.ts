import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorityState } from './authority-state.js';
import { delayOrReset, hasAnswer, statusOf } from './fault-answer.js';
import { readForm, redirect, sendHtml } from './form.js';
import { messagePage } from './pages/sign-in-pages.js';
import { parameter } from './parameter.js';
import { rememberFacts } from './request-facts.js';
import { internalScope, parseScopes } from './scopes.js';

/** Takes an authorization request, and rewrites its URL into what oidc-provider understands. */
export async function acceptAuthorizeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  state: AuthorityState,
): Promise<boolean> {
  const params = url.searchParams;
  if (request.method === 'POST') for (const [name, value] of Object.entries(await readForm(request))) params.set(name, value);
  request.method = 'GET';
  const fault = state.faults.take({ endpoint: 'authorize', clientId: params.get('client_id') ?? '', path: url.pathname });
  if (fault) {
    if (await delayOrReset(fault, response)) return false;
    if (hasAnswer(fault)) {
      sendAuthorizeFault(response, params, fault.error, statusOf(fault));
      return false;
    }
  }
  const scope = params.get('scope') ?? '';
  rememberFacts(request, { credential: { kind: 'none' }, redirectUri: params.get('redirect_uri') ?? undefined, scope });
  const asked = parseScopes(scope);
  params.set('scope', internalScope(asked));
  params.delete('resource');
  for (const resource of asked.resources.keys()) params.append('resource', resource);
  // Here an account is picked on the same page as everywhere: the sign-in page.
  const prompt = params.get('prompt')?.replace('select_account', 'login').replace('create', 'login');
  if (prompt !== undefined) params.set('prompt', prompt);
  return true;
}

/** On the way back from the sign-in page the URL names only the interaction: the redirect URI is found there. */
export async function resumeAuthorizeRequest(request: IncomingMessage, uid: string, state: AuthorityState): Promise<void> {
  const interaction = await state.store.shelf('Interaction').find(uid);
  const params = (interaction?.params ?? {}) as Record<string, unknown>;
  const redirectUri = typeof params.redirect_uri === 'string' ? params.redirect_uri : undefined;
  rememberFacts(request, { credential: { kind: 'none' }, redirectUri, scope: parameter(params.scope) });
}

function sendAuthorizeFault(response: ServerResponse, params: URLSearchParams, error: string | undefined, status: number): void {
  const redirectUri = params.get('redirect_uri');
  if (error === undefined || redirectUri === null) {
    sendHtml(response, status, messagePage('Something went wrong', 'This failure was asked for by a test.'));
    return;
  }
  const target = new URL(redirectUri);
  target.searchParams.set('error', error);
  target.searchParams.set('error_description', 'This failure was asked for by a test.');
  const state = params.get('state');
  if (state !== null) target.searchParams.set('state', state);
  redirect(response, target.href);
}
