import { randomUUID } from 'node:crypto';

/** An answer of Entra ID's token endpoint that is not a token. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly message: string;
  readonly codes: readonly number[];
  readonly suberror?: string;
  readonly claims?: string;
}

/** Thrown inside a grant to refuse it in Entra ID's words. */
export class RefusalError extends Error {
  readonly refusal: Refusal;
  readonly expose = true;
  readonly statusCode: number;
  readonly error: string;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
    this.statusCode = refusal.status;
    this.error = refusal.error;
  }
}

/** A refusal with one AADSTS code. The status is 401 for `invalid_client`, as with Entra ID, otherwise 400. */
export function refusal(error: string, code: number, message: string, suberror?: string): Refusal {
  const status = error === 'invalid_client' ? 401 : 400;
  return { status, error, message, codes: [code], ...(suberror === undefined ? {} : { suberror }) };
}

/** The JSON that Entra ID sends for a refusal. */
export function refusalBody({ error, message, codes, suberror, claims }: Refusal): Record<string, unknown> {
  const timestamp = new Date()
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const prefix = codes[0] === undefined ? '' : `AADSTS${codes[0]}: `;
  return {
    error,
    error_description: `${prefix}${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: codes,
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    ...(suberror === undefined ? {} : { suberror }),
    ...(claims === undefined ? {} : { claims }),
  };
}

/** What oidc-provider says about a failure. `detail` is its reason, which it keeps from clients. */
export interface ProviderError {
  readonly error?: string;
  readonly error_description?: string;
  readonly error_detail?: string;
  readonly statusCode?: number;
}

const KNOWN: readonly (readonly [pattern: RegExp, code: number, message: string])[] = [
  [/invalid secret/, 7000215, 'Invalid client secret provided.'],
  [/client not found/, 700016, 'Application was not found in the directory.'],
  [/authentication mechanism does not match/, 7000218, "The request body must contain 'client_assertion' or 'client_secret'."],
  [
    /"exp" claim|jwt expired|only be used once/,
    700024,
    'Client assertion is not within its valid time range, or was used before.',
  ],
  [/client authentication failed/, 700027, 'Client assertion failed signature validation.'],
  [/code verifier|PKCE|code_verifier|code_challenge/, 501481, 'The Code_Verifier does not match the code_challenge.'],
  [/authorization code.*consumed/, 54005, 'OAuth2 Authorization code was already redeemed.'],
  [/authorization code.*(expired|not found)/, 70008, 'The provided authorization code has expired or is unknown.'],
  [/redirect_uri mismatch/, 50011, 'The redirect URI does not match the one of the authorization request.'],
  [/client mismatch/, 70000, 'The provided grant was issued to another client.'],
  [/authorization_pending/, 70016, 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.'],
  [/expired_token/, 70020, 'The device code has expired.'],
  [/access_denied|declined/, 70019, 'The end-user declined the authorization request.'],
  [/grant (not found|is expired)/, 50173, 'The provided grant has been revoked. Sign in again.'],
  [/grant type/, 70003, 'The app requested an unsupported grant type.'],
];

/** Turns oidc-provider's error into Entra ID's. */
export function refusalFrom(cause: ProviderError): Refusal {
  const error = cause.error ?? 'server_error';
  const reason = [cause.error_detail, cause.error_description, error].filter(Boolean).join('; ');
  const [, code, message] = KNOWN.find(([pattern]) => pattern.test(reason)) ?? [];
  const status = error === 'invalid_client' ? 401 : (cause.statusCode ?? 400);
  return { status, error, message: message ?? `${reason}.`, codes: [code ?? (status >= 500 ? 90033 : 900144)] };
}
