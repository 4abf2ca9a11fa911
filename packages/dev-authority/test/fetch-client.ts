import { createHash, randomBytes } from 'node:crypto';
import tls from 'node:tls';
import type { DevAuthority } from '@tokenry/dev-authority';

/** Makes global `fetch` of this test process trust an authority. */
export function trust({ accountOptions }: DevAuthority): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), accountOptions.ca]);
}

/** A token endpoint's answer, success or not. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly access_token: string;
    readonly refresh_token: string;
    readonly id_token: string;
    readonly client_info: string;
    readonly scope: string;
    readonly error: string;
    readonly error_description: string;
    readonly error_codes: readonly number[];
  };
}

export const REDIRECT_URI = 'http://localhost:8400/callback';
export const ADA = 'ada@contoso.example';

/** A token request with plain fetch. */
export async function tokenRequest(authority: DevAuthority, form: Record<string, string>, tenant?: string): Promise<TokenAnswer> {
  const url = `${authority.url}/${tenant ?? authority.accountOptions.tenantId}/oauth2/v2.0/token`;
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as TokenAnswer['body'] };
}

/** An authorization request with PKCE. */
export function authorizationRequest(authority: DevAuthority, scope: string, extra: Record<string, string> = {}) {
  const codeVerifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: 'client-id',
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope,
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  });
  const tenant = authority.accountOptions.tenantId;
  return { url: `${authority.url}/${tenant}/oauth2/v2.0/authorize?${parameters}`, redirectUri: REDIRECT_URI, codeVerifier };
}

/** Signs somebody in and redeems the code. */
export async function signIn(
  authority: DevAuthority,
  options: { username?: string; scope?: string; form?: Record<string, string> } = {},
): Promise<TokenAnswer> {
  const request = authorizationRequest(
    authority,
    options.scope ?? 'openid profile offline_access https://graph.microsoft.com/User.Read',
  );
  const redirected = new URL(await authority.consentAs(options.username ?? ADA)(request));
  return tokenRequest(authority, {
    grant_type: 'authorization_code',
    client_id: 'client-id',
    code: redirected.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: request.codeVerifier,
    ...options.form,
  });
}

/** Redeems a refresh token. */
export const refresh = (authority: DevAuthority, refreshToken: string, form: Record<string, string> = {}): Promise<TokenAnswer> =>
  tokenRequest(authority, { grant_type: 'refresh_token', client_id: 'client-id', refresh_token: refreshToken, ...form });

/** The claims of a JWT. */
export const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));

/** A call of the Graph-like API. */
export function callApi(authority: DevAuthority, path: string, accessToken: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${accessToken}`);
  return fetch(`${authority.url}${path}`, { ...init, headers });
}
