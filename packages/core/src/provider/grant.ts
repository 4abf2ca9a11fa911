/** What is sent to the token endpoint (RFC 6749, RFC 7523, RFC 8628). */
export type Grant =
  | {
      readonly grantType: 'authorization_code';
      readonly code: string;
      readonly codeVerifier: string;
      readonly redirectUri: string;
      readonly nonce?: string;
    }
  | { readonly grantType: 'refresh_token'; readonly homeAccountId: string }
  | { readonly grantType: 'client_credentials' }
  | { readonly grantType: 'password'; readonly username: string; readonly password: string }
  | { readonly grantType: 'urn:ietf:params:oauth:grant-type:device_code'; readonly deviceCode: string }
  | { readonly grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer'; readonly assertion: string };

export type GrantType = Grant['grantType'];
