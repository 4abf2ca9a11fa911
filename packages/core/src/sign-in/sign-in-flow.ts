import { CapabilityError, FlowExpiredError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument } from '../options.js';
import type { AuthorizationRequest } from '../provider/token-provider.js';
import { FlowSeal } from './flow-seal.js';
import { redeem, signInFailure } from './redeem.js';
import { codeOf, redirectParameters } from './redirect.js';
import type { FlowState, SignedIn, SignInDependencies, SignInRequest } from './sign-in-dependencies.js';

/**
 * A sign-in that was started: opaque and JSON-safe; file it under `id`, the OAuth state. Without `flowKeys` it belongs on
 * the server (a session, a store), with them it may travel in a cookie. It is good for one redirect within ten minutes.
 */
export interface SignInFlow {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly sealed: string;
}

const LIFETIME_MS = 600_000;
/** What makes the redirect ours, and is therefore not the caller's to set. */
const OWN_PARAMETERS = [
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'client_id',
  'redirect_uri',
  'response_type',
  'scope',
];

/**
 * Starts a sign-in: returns the URL of the login page, and the flow to finish it with.
 * @throws TypeError when there is nothing to ask for, or nowhere to come back to.
 */
export async function startSignIn(
  deps: SignInDependencies,
  request: SignInRequest & { readonly redirectUri: string },
): Promise<{ readonly url: string; readonly flow: SignInFlow }> {
  checkRequest(request);
  const { provider, clock, contextFor } = deps;
  if (!provider.authorizationUrl)
    throw new CapabilityError('This provider has no login page: it implements no authorizationUrl().');
  const state: FlowState = {
    nonce: randomToken(),
    codeVerifier: randomToken(),
    redirectUri: request.redirectUri,
    scopes: request.scopes,
    ...(request.claims === undefined ? {} : { claims: request.claims }),
  };
  const id = randomToken();
  const expiresAt = clock.now() + LIFETIME_MS;
  const url = await provider.authorizationUrl(
    authorizationRequest(request, id, state),
    contextFor(request.scopes, contextOptions(request)),
  );
  const sealed = await new FlowSeal(deps.flowKeys).close(id, { ...state, expiresAt });
  return { url, flow: Object.freeze({ id, expiresAt, sealed }) };
}

/**
 * Finishes a sign-in with the URL that the login page redirected to (or the body of its form post).
 * @throws FlowExpiredError for a flow that is too old or was changed; StateMismatchError when the redirect belongs to
 * another flow; AuthorizationDeniedError when the person or the server refused.
 */
export async function finishSignIn(
  deps: SignInDependencies,
  redirected: string | URL,
  flow: SignInFlow,
  options: { readonly signal?: AbortSignal } = {},
): Promise<SignedIn> {
  const { provider, clock, contextFor } = deps;
  const { state, expiresAt } = await openFlow(deps, flow);
  const code = codeOf(redirectParameters(redirected), flow.id, provider);
  if (clock.now() >= expiresAt) throw new FlowExpiredError('The sign-in took longer than ten minutes. Start it again.');
  const { scopes, claims, codeVerifier, redirectUri, nonce } = state;
  const context = contextFor(scopes, contextOptions({ claims, signal: options.signal }));
  try {
    return await redeem(provider, { grantType: 'authorization_code', code, codeVerifier, redirectUri, nonce }, context);
  } catch (error) {
    throw signInFailure(error, provider, options.signal);
  }
}

async function openFlow(deps: SignInDependencies, flow: SignInFlow): Promise<{ state: FlowState; expiresAt: number }> {
  const id: unknown = (flow as SignInFlow | undefined | null)?.id;
  if (typeof id !== 'string' || id === '' || id.length > 256)
    throw new FlowExpiredError('This is not a sign-in flow: pass the object that getAuthorizationUrl() returned.');
  const content = await new FlowSeal(deps.flowKeys).open(id, flow.sealed);
  const { expiresAt, ...state } = content as unknown as FlowState & { expiresAt: number };
  const isComplete = [state.nonce, state.codeVerifier, state.redirectUri].every((value) => typeof value === 'string');
  if (!isComplete || !Array.isArray(state.scopes) || !Number.isFinite(expiresAt))
    throw new FlowExpiredError('The sign-in flow is incomplete. Start the sign-in again.');
  return { state, expiresAt };
}

function authorizationRequest(request: SignInRequest, id: string, flow: FlowState): AuthorizationRequest {
  const { prompt, loginHint, domainHint, claims, extraParameters } = request;
  return {
    redirectUri: flow.redirectUri,
    state: id,
    nonce: flow.nonce,
    codeChallenge: nodeCrypto().createHash('sha256').update(flow.codeVerifier).digest('base64url'),
    ...(prompt === undefined ? {} : { prompt }),
    ...(loginHint === undefined ? {} : { loginHint }),
    ...(domainHint === undefined ? {} : { domainHint }),
    ...(claims === undefined ? {} : { claims }),
    ...(extraParameters === undefined ? {} : { extraParameters }),
  };
}

/** Options without the members that are undefined. */
export function contextOptions(options: { readonly claims?: string | undefined; readonly signal?: AbortSignal | undefined }) {
  const { claims, signal } = options;
  return { ...(claims === undefined ? {} : { claims }), ...(signal === undefined ? {} : { signal }) };
}

function checkRequest({ scopes, redirectUri, extraParameters = {} }: SignInRequest): void {
  if (!Array.isArray(scopes) || scopes.length === 0)
    throw invalidArgument('scopes: say what to ask for, such as ["User.Read"]. Nothing is asked for by default.');
  if (typeof redirectUri !== 'string' || !URL.canParse(redirectUri))
    throw invalidArgument('redirectUri must be an absolute URL that is registered for the application.');
  const taken = Object.keys(extraParameters).find((name) => OWN_PARAMETERS.includes(name.toLowerCase()));
  if (taken !== undefined) throw invalidArgument(`extraParameters: "${taken}" is set by the sign-in itself.`);
}

/** 256 bits, URL-safe: enough for a state, a nonce and a PKCE verifier (43 characters, RFC 7636 section 4.1). */
function randomToken(): string {
  return nodeCrypto().randomBytes(32).toString('base64url');
}
