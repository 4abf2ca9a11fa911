import type { DecodedRecord } from '../backend/record-access.js';
import {
  AuthorizationDeniedError,
  InteractionRequiredError,
  RefreshFailedError,
  RefreshThrottledError,
  type TokenryError,
} from '../errors.js';
import { redact } from '../observability/redact.js';
import type { TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { Classification } from '../provider/token-provider.js';
import { refreshTokenIn, type TokenRequest } from './token-request.js';

/** Refusals that no person can mend by signing in: the application or its request is at fault (RFC 6749 section 5.2). */
const APPLICATION_ERRORS: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'invalid_scope',
  'invalid_resource',
  'invalid_target',
  'unsupported_grant_type',
]);

/** The public error for a refusal, once the provider has said of what kind it is. */
export function refusalError(refusal: TokenEndpointError, classification: Classification, grantType: string): TokenryError {
  const message = describe(refusal, classification);
  const details = {
    cause: refusal,
    errorCode: refusal.errorCode,
    hint: classification.hint,
    correlationId: refusal.correlationId,
    suberror: refusal.suberror,
    claims: refusal.claims,
  };
  if (classification.kind === 'throttled')
    return new RefreshThrottledError(message, { ...details, retryAfterMs: refusal.retryAfterMs });
  if (classification.kind === 'transient') return new RefreshFailedError(message, details);
  if (grantType === 'client_credentials' || APPLICATION_ERRORS.has(refusal.error))
    return new AuthorizationDeniedError(message, { ...details, error: refusal.error });
  return new InteractionRequiredError(message, details);
}

function describe(refusal: TokenEndpointError, { hint }: Classification): string {
  const code = refusal.errorCode === undefined ? '' : ` (AADSTS${refusal.errorCode})`;
  const suberror = refusal.suberror === undefined ? '' : `, ${refusal.suberror}`;
  const advice = hint ?? (refusal.description === undefined ? '' : redact(firstLine(refusal.description)));
  return `The authorization server refused: ${refusal.error}${suberror}${code}.${advice ? ` ${advice}` : ''}`;
}

// Entra appends trace ids and timestamps on lines of their own.
function firstLine(text: string): string {
  return (text.split(/\r?\n/, 1)[0] ?? '').slice(0, 400);
}

/** `invalid_grant` may only say that the token was spent by somebody who has stored its successor. */
export function isAboutToken(refusal: TokenEndpointError, request: TokenRequest): boolean {
  return refusal.error === 'invalid_grant' && request.grantType === 'refresh_token';
}

/** Whether the record has another refresh token than the one sent, or no longer the account. */
export function isSuperseded(record: DecodedRecord | undefined, sent: string | undefined, request: TokenRequest): boolean {
  const { homeAccountId } = request;
  if (homeAccountId === undefined) return false;
  if (!record?.cache.getAccount({ homeAccountId })) return true;
  const stored = refreshTokenIn(record.cache, request);
  return stored !== undefined && stored !== sent;
}
