import { sleep } from '../clock.js';
import { AuthorizationDeniedError, CapabilityError, FlowExpiredError, TimeoutError, TokenryError } from '../errors.js';
import { invalidArgument } from '../options.js';
import { NotSentError, TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { DeviceFlow } from '../provider/token-provider.js';
import { redeem, refusalMessage, signInFailure } from './redeem.js';
import type { SignedIn, SignInDependencies, SignInRequest } from './sign-in-dependencies.js';
import { contextOptions } from './sign-in-flow.js';

/** RFC 8628 section 3.5: how much slower to ask after `slow_down`. */
const SLOW_DOWN_MS = 5_000;
/** Bounds on the interval, so that no server and no changed flow makes us ask in a loop, or never. */
const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 60_000;

/** Starts a device-code sign-in: returns what to show to the person, and what to poll with. Plain JSON, for any process. */
export async function startDeviceFlow(deps: SignInDependencies, request: SignInRequest): Promise<DeviceFlow> {
  const { provider, contextFor } = deps;
  if (request.scopes.length === 0)
    throw invalidArgument('scopes: say what to ask for, such as ["User.Read"]. Nothing is asked for by default.');
  if (!provider.deviceAuthorization)
    throw new CapabilityError('This provider has no device-code sign-in: it implements no deviceAuthorization().');
  try {
    const flow = await provider.deviceAuthorization(contextFor(request.scopes, contextOptions(request)));
    return { ...flow, scopes: request.scopes };
  } catch (error) {
    throw signInFailure(error, provider, request.signal);
  }
}

/**
 * Waits until the person has entered the code. Asks as often as the server allows, goes on through network failures, and
 * can be repeated, here or in another process, until the flow expires.
 * @throws FlowExpiredError when the code was not entered in time; AuthorizationDeniedError when the person refused.
 */
export async function finishDeviceFlow(
  deps: SignInDependencies,
  flow: DeviceFlow,
  request: Pick<SignInRequest, 'scopes' | 'claims' | 'signal'>,
): Promise<SignedIn> {
  checkFlow(flow);
  const { provider, clock, contextFor } = deps;
  const { signal } = request;
  // Where an answer does not say what was granted, it is what was asked for when the flow began.
  const scopes = flow.scopes ?? request.scopes;
  let intervalMs = clamp(flow.intervalMs);
  for (;;) {
    if (clock.now() >= flow.expiresAt) throw expired();
    await sleep(clock, Math.min(intervalMs, Math.max(0, flow.expiresAt - clock.now())), { signal, hold: true });
    const context = contextFor(scopes, contextOptions(request));
    const grant = { grantType: 'urn:ietf:params:oauth:grant-type:device_code', deviceCode: flow.deviceCode } as const;
    try {
      return await redeem(provider, grant, context);
    } catch (error) {
      intervalMs = clamp(nextInterval(error, intervalMs, deps, signal));
    }
  }
}

/** How long to wait before asking again; throws when there is nothing to wait for. */
function nextInterval(
  error: unknown,
  intervalMs: number,
  { provider }: SignInDependencies,
  signal: AbortSignal | undefined,
): number {
  if (signal?.aborted) throw signal.reason;
  // The server answered, and that answer will not come again.
  if (TokenryError.is(error) && !TimeoutError.is(error)) throw error;
  if (!TokenEndpointError.is(error)) {
    // Unreachable, or no answer: ask again, more slowly (RFC 8628 section 3.5).
    const mayPass = NotSentError.is(error) || !(error instanceof TypeError && 'code' in error);
    if (mayPass) return intervalMs * 2;
    throw error;
  }
  switch (error.error) {
    case 'authorization_pending':
      return intervalMs;
    case 'slow_down':
      return intervalMs + SLOW_DOWN_MS;
    case 'expired_token':
    case 'code_expired':
      throw expired();
    case 'access_denied':
    case 'authorization_declined':
      throw declined(error);
    default:
      return afterRefusal(error, intervalMs, signInFailure(error, provider, signal));
  }
}

function afterRefusal(error: TokenEndpointError, intervalMs: number, failure: unknown): number {
  if (error.status === 429 || error.status >= 500) return Math.max(intervalMs * 2, error.retryAfterMs ?? 0);
  throw failure;
}

function declined(error: TokenEndpointError): AuthorizationDeniedError {
  const hint = 'The person chose not to sign in on the other device.';
  const { errorCode, correlationId } = error;
  return new AuthorizationDeniedError(refusalMessage(error.error, { errorCode, hint }), {
    error: error.error,
    errorCode,
    correlationId,
    hint,
  });
}

function expired(): FlowExpiredError {
  return new FlowExpiredError('The device code was not entered in time. Start the sign-in again.');
}

function checkFlow(flow: DeviceFlow): void {
  const { deviceCode, expiresAt, scopes = [] } = (flow ?? {}) as Partial<DeviceFlow>;
  const hasScopes = Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string');
  if (typeof deviceCode === 'string' && deviceCode !== '' && Number.isFinite(expiresAt) && hasScopes) return;
  throw new FlowExpiredError('This is not a device flow: pass the object that initiateDeviceFlow() returned.');
}

function clamp(intervalMs: number): number {
  return Number.isFinite(intervalMs) ? Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, intervalMs)) : SLOW_DOWN_MS;
}
