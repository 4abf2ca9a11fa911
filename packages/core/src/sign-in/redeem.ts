import { AuthorizationDeniedError, RefreshFailedError, RefreshThrottledError, TokenryError } from '../errors.js';
import type { Grant } from '../provider/grant.js';
import { NotSentError, TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { ProviderContext, TokenProvider } from '../provider/token-provider.js';
import { TokenCache } from '../tokens/token-cache.js';
import type { SignedIn } from './sign-in-dependencies.js';

/**
 * Exchanges a grant that a person's sign-in produced, into a cache of its own. The refusals of the server come out as
 * they were thrown; see {@link signInFailure}.
 */
export async function redeem(provider: TokenProvider, grant: Grant, context: ProviderContext): Promise<SignedIn> {
  const slice = new TokenCache().slice({
    clientId: provider.clientId,
    environment: provider.environments[0] ?? provider.issuer,
    now: () => context.clock.now(),
  });
  await provider.exchange(grant, slice, context);
  const added = slice.lastAdded;
  const [only] = slice.getAccounts();
  const account = added?.homeAccountId ? slice.getAccount({ homeAccountId: added.homeAccountId }) : only;
  if (!account) throw new RefreshFailedError('The authorization server answered without saying who signed in.');
  return { account, scopes: added?.accessToken?.scopes ?? context.scopes, slice };
}

/** The public error for what ended a sign-in; errors of ours, bad arguments and the caller's abort pass through. */
export function signInFailure(error: unknown, provider: TokenProvider, signal?: AbortSignal): unknown {
  if (TokenEndpointError.is(error)) return refusal(error, provider);
  if (TokenryError.is(error) || (signal?.aborted && error === signal.reason)) return error;
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('TOKENRY_')) return error;
  const sent = NotSentError.is(error) ? '; nothing was sent' : ', or did not answer';
  return new RefreshFailedError(`The authorization server could not be reached${sent}.`, { cause: error });
}

function refusal(error: TokenEndpointError, provider: TokenProvider): TokenryError {
  const { kind, hint } = provider.classify(error);
  const { errorCode, correlationId, retryAfterMs, suberror, claims } = error;
  const message = refusalMessage(error.error, { errorCode, hint });
  const details = { cause: error, errorCode, correlationId, hint };
  if (kind === 'throttled') return new RefreshThrottledError(message, { ...details, retryAfterMs });
  if (kind === 'transient') return new RefreshFailedError(message, details);
  return new AuthorizationDeniedError(message, { ...details, error: error.error, suberror, claims });
}

/** One sentence about a refusal, from parts that hold no free text of the server. */
export function refusalMessage(
  error: string,
  { errorCode, hint }: { errorCode?: string | undefined; hint?: string | undefined },
): string {
  const code = errorCode === undefined ? '' : ` (AADSTS${errorCode})`;
  return `The authorization server refused the sign-in: ${error}${code}.${hint === undefined ? '' : ` ${hint}`}`;
}
