import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { AuthorityState } from './authority-state.js';
import { readForm, sendHtml } from './form.js';
import { consentPage, messagePage, signInPage } from './pages/sign-in-pages.js';
import { parameter } from './parameter.js';
import { OFFLINE } from './scopes.js';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The page between the authorization request and the redirect back: who are you, and do you agree? */
export async function handleSignIn(
  request: IncomingMessage,
  response: ServerResponse,
  provider: Provider,
  state: AuthorityState,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response).catch(() => undefined);
  if (!interaction) return sendHtml(response, 400, messagePage('Sign-in expired', 'Start again from your application.'));
  if (request.method === 'POST') await submit(request, response, provider, state);
  else sendHtml(response, 200, pageFor(interaction, state));
}

function pageFor({ prompt, params }: Interaction, state: AuthorityState): string {
  const clientId = parameter(params.client_id);
  if (prompt.name === 'login') {
    const hint = typeof params.login_hint === 'string' ? params.login_hint : undefined;
    return signInPage(state.directory.list(), clientId, hint);
  }
  const scopes = parameter(params.scope)
    .split(' ')
    .map((scope) => (scope === OFFLINE ? 'offline_access' : scope));
  return consentPage(clientId, scopes);
}

async function submit(
  request: IncomingMessage,
  response: ServerResponse,
  provider: Provider,
  state: AuthorityState,
): Promise<void> {
  const form = await readForm(request);
  if (form.cancel !== undefined) {
    const declined = { error: 'access_denied', error_description: 'AADSTS65004: User declined to consent to access the app.' };
    return provider.interactionFinished(request, response, declined, { mergeWithLastSubmission: false });
  }
  const consent = form.consent === 'accept' ? { consent: {} } : {};
  if (form.username === undefined) return provider.interactionFinished(request, response, consent);
  try {
    const { accountId } = state.directory.byUsername(form.username);
    await provider.interactionFinished(request, response, { login: { accountId }, ...consent });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    sendHtml(response, 400, messagePage('Sign in', error.message));
  }
}
