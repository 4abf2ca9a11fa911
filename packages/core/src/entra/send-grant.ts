import type { Grant } from '../provider/grant.js';
import { NotSentError } from '../provider/token-endpoint-error.js';
import { confidentialClient, type MsalClientOptions, publicClient } from './msal-client.js';

/** What one grant asks for. */
export interface GrantRequest {
  readonly scopes: readonly string[];
  readonly claims?: string | undefined;
  /** The refresh token to spend, for `refresh_token`. */
  readonly refreshToken?: string | undefined;
}

type MsalGrant = Exclude<Grant, { grantType: 'urn:ietf:params:oauth:grant-type:device_code' }>;

/**
 * Sends a grant through a fresh msal-node application, past its cache: one request. What the server answered is in the
 * network client afterwards; msal-node checked the parts that need checking (nonce, client info).
 */
export async function sendGrant(grant: MsalGrant, request: GrantRequest, options: MsalClientOptions): Promise<void> {
  const { clientSecret, clientAssertion } = options.authentication;
  const common = { scopes: [...request.scopes], ...(request.claims === undefined ? {} : { claims: request.claims }) };
  const isConfidential = clientSecret !== undefined || clientAssertion !== undefined;
  const client = isConfidential ? confidentialClient(options) : publicClient(options);
  switch (grant.grantType) {
    case 'authorization_code': {
      const { code, codeVerifier, redirectUri, nonce } = grant;
      await client.acquireTokenByCode({ ...common, code, codeVerifier, redirectUri, ...(nonce === undefined ? {} : { nonce }) });
      return;
    }
    case 'refresh_token':
      if (request.refreshToken === undefined) throw new NotSentError('The account has no refresh token.');
      await client.acquireTokenByRefreshToken({ ...common, refreshToken: request.refreshToken });
      return;
    case 'password':
      // Deprecated by msal-node as by everybody: no second factor, no federated users. Kept as python-o365 has it.
      await client.acquireTokenByUsernamePassword({ ...common, username: grant.username, password: grant.password });
      return;
    case 'client_credentials':
      await confidentialClient(options).acquireTokenByClientCredential({ ...common, skipCache: true });
      return;
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
      await confidentialClient(options).acquireTokenOnBehalfOf({ ...common, oboAssertion: grant.assertion, skipCache: true });
      return;
  }
}
