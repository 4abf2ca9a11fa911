import type { ConsentHandler, ConsentListener } from './consent.js';
import { finishDeviceFlow, startDeviceFlow } from './device-flow.js';
import type { SignedIn, SignInDependencies, SignInRequest } from './sign-in-dependencies.js';
import { contextOptions, finishSignIn, startSignIn } from './sign-in-flow.js';

/** Where a handler without a listener sends people when no address was given: the page fails to load, its address is the answer. */
export const DEFAULT_REDIRECT_URI = 'http://localhost';

/** Signs a person in with the help of a consent handler, in whichever of its ways the handler works. */
export async function signInWithConsent(
  deps: SignInDependencies,
  request: SignInRequest,
  handler: ConsentHandler,
): Promise<SignedIn> {
  request.signal?.throwIfAborted();
  if (handler.showDeviceCode) return byDeviceCode(deps, request, handler.showDeviceCode);
  if (handler.listen) return byListener(deps, request, handler.listen);
  return byRedirect(deps, request, { redirectUri: request.redirectUri ?? DEFAULT_REDIRECT_URI, receive: handler });
}

async function byRedirect(
  deps: SignInDependencies,
  request: SignInRequest,
  { redirectUri, receive }: { readonly redirectUri: string; readonly receive: ConsentListener['receive'] },
): Promise<SignedIn> {
  const { signal } = request;
  const { url, flow } = await startSignIn(deps, { ...request, redirectUri });
  const redirected = await receive({ url, redirectUri, ...(signal === undefined ? {} : { signal }) });
  return finishSignIn(deps, redirected, flow, contextOptions({ signal }));
}

/** The browser keeps waiting for its page until the code was exchanged: it says "signed in" only when that is true. */
async function byListener(
  deps: SignInDependencies,
  request: SignInRequest,
  listen: NonNullable<ConsentHandler['listen']>,
): Promise<SignedIn> {
  const { redirectUri, signal } = request;
  const listener = await listen({ ...(redirectUri === undefined ? {} : { redirectUri }), ...contextOptions({ signal }) });
  let outcome: { readonly error?: unknown } = {};
  try {
    return await byRedirect(deps, request, {
      redirectUri: listener.redirectUri,
      receive: (consent) => listener.receive(consent),
    });
  } catch (error) {
    outcome = { error };
    throw error;
  } finally {
    await listener.settle(outcome);
  }
}

async function byDeviceCode(
  deps: SignInDependencies,
  request: SignInRequest,
  show: NonNullable<ConsentHandler['showDeviceCode']>,
): Promise<SignedIn> {
  const flow = await startDeviceFlow(deps, request);
  await show(flow, contextOptions({ signal: request.signal }));
  return finishDeviceFlow(deps, flow, request);
}
