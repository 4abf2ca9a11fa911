import { verify } from 'node:crypto';
import type { AuthorityState } from './authority-state.js';

/** Claims that this package's own access tokens always have. */
export interface AccessTokenClaims {
  readonly aud: string;
  readonly sub: string;
  readonly tid: string;
  readonly appid: string;
  readonly exp: number;
  readonly iss: string;
  readonly oid: string;
  readonly scp?: string;
  readonly roles?: readonly string[];
}

/** Verifies signature, issuer and lifetime of an access token of this authority. */
export async function verifyAccessToken(
  token: string,
  state: AuthorityState,
): Promise<{ readonly claims: AccessTokenClaims } | { readonly problem: 'malformed' | 'bad signature' | 'expired' }> {
  const [header, payload, signature, ...rest] = token.split('.');
  if (!header || !payload || !signature || rest.length > 0) return { problem: 'malformed' };
  const { publicKey } = await state.signingKey;
  if (
    !verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    )
  )
    return { problem: 'bad signature' };
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as AccessTokenClaims;
  if (!claims.iss.startsWith(`${state.origin}/`)) return { problem: 'bad signature' };
  return claims.exp * 1000 > Date.now() ? { claims } : { problem: 'expired' };
}
