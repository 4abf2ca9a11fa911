import { invalidArgument } from '@tokenry/core/backend';

/** A token answer as OAuth libraries store it: RFC 6749 names, `expires_at` in epoch **seconds**. */
export interface OAuth2Token {
  readonly access_token: string;
  readonly token_type?: string;
  readonly expires_at?: number;
  readonly refresh_token?: string;
  readonly scope?: string | readonly string[];
  readonly [other: string]: unknown;
}

/**
 * Returns `value` if it is a token object, `undefined` for nothing.
 * @throws TypeError naming the field and what it must be; never the value, which may be a token.
 */
export function checkToken(value: unknown): OAuth2Token | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'object' && 'access_token' in value && typeof value.access_token === 'string')
    return Object.freeze({ ...value, access_token: value.access_token });
  throw invalidArgument(
    `"accessToken" must be an object with a string "access_token", or null; got ${typeof value === 'object' ? 'another object' : `a ${typeof value}`}.`,
  );
}
