import { createHash } from 'node:crypto';
import { type AccountOptions, AuthorizationDeniedError, HttpError, redact, TokenCache } from '@tokenry/core';
import { type AccessTokenRequest, BaseOAuth2Credentials, type OAuth2CredentialsOptions } from './base-oauth2-credentials.js';
import { ProcessTokenBackend } from './process-token-backend.js';

export interface OAuth2AuthorizationCodeOptions extends OAuth2CredentialsOptions {
  /** From the redirect after the sign-in; spent by the first token request. */
  readonly authorizationCode?: string | undefined;
  /** The redirect URI that the code was issued for. */
  readonly redirectUri?: string | undefined;
  /** PKCE verifier, if the sign-in was started with a challenge. */
  readonly codeVerifier?: string | undefined;
}

/** An authorization code, an access token, or both, for programs that run the sign-in themselves. */
export class OAuth2AuthorizationCodeCredentials extends BaseOAuth2Credentials {
  readonly kind = 'oauth2-authorization-code';
  readonly #redirectUri: string | undefined;
  readonly #codeVerifier: string | undefined;
  /** Stays when the code is spent, so that equality does not change. */
  readonly #codeDigest: string;
  #code: string | undefined;

  constructor(options: OAuth2AuthorizationCodeOptions = {}, own?: { readonly instance?: string }) {
    const { authorizationCode, redirectUri, codeVerifier, ...rest } = options;
    const tokenBackend = rest.tokenBackend ?? new ProcessTokenBackend();
    super({ ...rest, tokenBackend }, own);
    this.#code = authorizationCode;
    this.#codeDigest = createHash('sha256')
      .update(authorizationCode ?? '')
      .digest('hex');
    this.#redirectUri = redirectUri;
    this.#codeVerifier = codeVerifier;
  }

  protected override defaultScopes(): readonly string[] {
    return [...super.defaultScopes(), 'offline_access'];
  }

  /** Hands the code out once; afterwards it is gone. */
  override tokenParams(): Record<string, unknown> {
    const code = this.#code;
    this.#code = undefined;
    return code === undefined ? super.tokenParams() : { ...super.tokenParams(), code };
  }

  override toAccountOptions(): Partial<AccountOptions> {
    const authFlowType = this.revealClientSecret() === undefined ? ('public' as const) : ('authorization' as const);
    return { authFlowType, ...super.toAccountOptions() };
  }

  protected override canSignIn(): boolean {
    return this.clientId !== undefined;
  }
  protected override async prepareAccount(request: AccessTokenRequest): Promise<void> {
    if (this.#code !== undefined) await this.#redeem(this.tokenParams().code as string, request);
  }

  /** Spends the code and puts what it brings into the backend, where the account finds it. */
  async #redeem(code: string, { signal }: AccessTokenRequest): Promise<void> {
    const clientSecret = this.revealClientSecret();
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: this.clientId ?? '',
      client_info: '1',
      code,
      scope: [...this.scopes, 'openid', 'profile'].join(' '),
      ...(this.#redirectUri === undefined ? {} : { redirect_uri: this.#redirectUri }),
      ...(this.#codeVerifier === undefined ? {} : { code_verifier: this.#codeVerifier }),
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    });
    const answer = await this.#post(body, signal);
    const response = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    if (!answer.ok || typeof response.access_token !== 'string') throw refused(response);
    const cache = new TokenCache();
    cache.add({
      response,
      environment: new URL(this.cloud.authority).host,
      ...(this.clientId === undefined ? {} : { clientId: this.clientId }),
      ...(this.tenantId === undefined ? {} : { tenantId: this.tenantId }),
      scopes: this.scopes,
      grantType: 'authorization_code',
    });
    const { tokenBackend, tokenKey } = this.options;
    await tokenBackend?.saveToken(cache, tokenKey === undefined ? {} : { tokenKey });
  }

  async #post(body: URLSearchParams, signal: AbortSignal | undefined): Promise<Response> {
    const init = { method: 'POST', body, ...(signal ? { signal } : {}) };
    return this.account.connection.naiveRequest(this.tokenUrl, init).catch((error: unknown) => {
      // A refusal is an answer like any other: its body says why.
      if (HttpError.is(error) && error.response) return error.response;
      throw error;
    });
  }

  protected override secretParts(): readonly string[] {
    return [this.#codeDigest];
  }

  /** Client id and what it holds, never the values: `id [access_token]`. */
  override toString(): string {
    const holds = this.accessToken ? '[access_token]' : this.#code === undefined ? '' : '[authorization_code]';
    return [this.clientId, holds].filter(Boolean).join(' ') || '[underspecified credentials]';
  }
}

function refused(response: Record<string, unknown>): AuthorizationDeniedError {
  const error = typeof response.error === 'string' ? response.error : 'invalid_response';
  const description =
    typeof response.error_description === 'string' ? `: ${redact(response.error_description.slice(0, 2000))}` : '.';
  return new AuthorizationDeniedError(`The authorization code was refused (${error})${description}`, { error });
}
