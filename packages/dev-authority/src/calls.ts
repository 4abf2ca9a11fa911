/** One request that reached the token endpoint. It never holds a token or a secret, only hashes of refresh tokens. */
export interface TokenCall {
  /** Epoch milliseconds by the authority's clock. */
  readonly at: number;
  readonly grantType: string;
  readonly clientId: string;
  /** Tenant segment of the URL. */
  readonly tenant: string;
  readonly scope: string;
  /** The `claims` parameter, if there was one. */
  readonly claims?: string;
  /** `reset-before`: broken off with nothing done. `reset-after-commit`: tokens were issued, the answer was lost. */
  readonly outcome: 'pending' | 'issued' | 'refused' | 'reset-before' | 'reset-after-commit';
  readonly status?: number;
  readonly error?: string;
  readonly suberror?: string;
  /** SHA-256 (hex) of the refresh token that was sent. */
  readonly refreshTokenSha256?: string;
  /** SHA-256 (hex) of the refresh token that was issued. */
  readonly issuedRefreshTokenSha256?: string;
  /** Whom the tokens were issued for. */
  readonly username?: string;
}

/** One request to the Graph-like API. */
export interface ApiCall {
  /** Epoch milliseconds by the authority's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}
