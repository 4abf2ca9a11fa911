import type { AuthorizationRequest } from '../provider/token-provider.js';
import { withOpenId } from './device-code.js';

/** What the authorization endpoint needs besides the caller's request. */
export interface AuthorizationTarget {
  readonly authorizeEndpoint: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Joined into the claims request, such as `cp1`. */
  readonly clientCapabilities: readonly string[];
}

/**
 * The URL of the login page. Built here, not by msal-node, so that a web server's login route loads nothing.
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code
 */
export function authorizationUrl(target: AuthorizationTarget, request: AuthorizationRequest): string {
  const url = new URL(target.authorizeEndpoint);
  const { extraParameters: extra = {} } = request;
  const parameters: Readonly<Record<string, string | undefined>> = {
    response_mode: 'query',
    ...extra,
    client_id: target.clientId,
    response_type: 'code',
    redirect_uri: request.redirectUri,
    scope: withOpenId(target.scopes),
    state: request.state,
    nonce: request.nonce,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
    client_info: '1',
    prompt: request.prompt ?? extra.prompt,
    login_hint: request.loginHint ?? extra.login_hint,
    domain_hint: request.domainHint ?? extra.domain_hint,
    claims: claimsWith(target.clientCapabilities, request.claims ?? extra.claims),
  };
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

/** Adds client capabilities (`xms_cc`) to a claims request; unreadable claims are left as they are for the server to refuse. */
export function claimsWith(capabilities: readonly string[], claims: string | undefined): string | undefined {
  if (capabilities.length === 0) return claims;
  let asked: unknown;
  try {
    asked = claims === undefined ? {} : JSON.parse(claims);
  } catch {
    return claims;
  }
  if (typeof asked !== 'object' || asked === null) return claims;
  const { access_token: accessToken, ...others } = asked as Record<string, unknown>;
  return JSON.stringify({
    ...others,
    access_token: { ...(accessToken as object | undefined), xms_cc: { values: capabilities } },
  });
}
