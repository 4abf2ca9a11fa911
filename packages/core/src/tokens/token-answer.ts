import { claimsChallengeOf } from '../claims-challenge.js';
import { RefreshFailedError } from '../errors.js';
import { redact } from '../observability/redact.js';
import { invalidArgument } from '../options.js';
import { TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { TokenEvent } from './schema.js';
import { splitScopes } from './scope-set.js';
import { seconds } from './token-times.js';

/** Clocks closer than this are taken to be the same; the difference is the network's. */
const CLOCK_TOLERANCE_MS = 30_000;
/** For servers that do not say (RFC 6749 section 5.1 only recommends it). */
const DEFAULT_LIFETIME = 3_600;
const MAX_LIFETIME = 10 * 365 * 86_400;

/** A token endpoint's answer with its types checked; times in epoch seconds. */
export interface TokenAnswer {
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  readonly clientInfo: string | undefined;
  readonly familyId: string | undefined;
  readonly tokenType: string;
  /** As the server wrote them; what was asked where it did not say. */
  readonly target: string;
  readonly cachedAt: number;
  readonly expiresOn: number;
  readonly extendedExpiresOn: number;
  readonly refreshOn: number | undefined;
  /** Server's clock minus ours; 0 within 30 s. */
  readonly clockOffsetMs: number;
}

/**
 * Reads what a token endpoint answered (RFC 6749 section 5).
 * @throws TokenEndpointError when it refused; RefreshFailedError when there is no token in the answer.
 */
export function readAnswer(event: TokenEvent, now: number): TokenAnswer {
  const body = bodyOf(event);
  if (body.error !== undefined && body.error !== null) throw refusal(body, event.status ?? 400);
  const texts = tokensOf(body);
  if (!texts.accessToken && !texts.refreshToken && !texts.idToken)
    throw new RefreshFailedError('The token endpoint answered without a token.');
  const target = text(body.scope) ?? splitScopes(event.scopes ?? []).join(' ');
  return { ...texts, ...timesOf(body, event, now), target, tokenType: text(body.token_type) ?? 'Bearer' };
}

function bodyOf({ response }: TokenEvent): Readonly<Record<string, unknown>> {
  if (typeof response !== 'object' || response === null || Array.isArray(response))
    throw invalidArgument('TokenCache.add: response must be the JSON object that the token endpoint answered.');
  return response as Readonly<Record<string, unknown>>;
}

function tokensOf(body: Readonly<Record<string, unknown>>) {
  return {
    accessToken: text(body.access_token),
    refreshToken: text(body.refresh_token),
    idToken: text(body.id_token),
    clientInfo: text(body.client_info),
    familyId: text(body.foci),
  };
}

// The server decides when a token ends, so its clock counts; other machines read the record with clocks of their own.
function timesOf(body: Readonly<Record<string, unknown>>, { serverNow }: TokenEvent, now: number) {
  const offset = serverNow === undefined ? 0 : serverNow - now;
  const clockOffsetMs = Math.abs(offset) > CLOCK_TOLERANCE_MS ? offset : 0;
  const cachedAt = Math.floor((now + clockOffsetMs) / 1_000);
  const lifetime = duration(body.expires_in) ?? DEFAULT_LIFETIME;
  const refreshIn = duration(body.refresh_in);
  return {
    clockOffsetMs,
    cachedAt,
    expiresOn: cachedAt + lifetime,
    extendedExpiresOn: cachedAt + Math.max(lifetime, duration(body.ext_expires_in) ?? 0),
    refreshOn: refreshIn === undefined ? undefined : cachedAt + refreshIn,
  };
}

function duration(value: unknown): number | undefined {
  const wanted = seconds(value);
  return wanted === undefined ? undefined : Math.min(MAX_LIFETIME, Math.max(0, Math.floor(wanted)));
}

function refusal(body: Readonly<Record<string, unknown>>, status: number): TokenEndpointError {
  const description = text(body.error_description);
  const codes = body.error_codes;
  const [first] = Array.isArray(codes) ? codes : [];
  // What does not look like a code is not repeated as one: it would get into messages.
  const code = /^\d{4,9}$/.test(String(first)) ? String(first) : /AADSTS(\d{4,9})/.exec(description ?? '')?.[1];
  const suberror = text(body.suberror);
  return new TokenEndpointError({
    error: text(body.error) ?? 'unknown_error',
    status,
    ...(suberror && { suberror }),
    ...(description && { description: redact(description) }),
    errorCode: code,
    claims: claimsChallengeOf(body.claims),
    correlationId: text(body.correlation_id),
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
