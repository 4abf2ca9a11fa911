import { splitScopes } from './scope-set.js';

/**
 * The token file of python-o365 2.0: one flat answer of the token endpoint. It is no token cache, so its fields stay
 * root members of the record, untouched, until its refresh token was exchanged.
 */
const FIELDS = ['token_type', 'scope', 'expires_in', 'ext_expires_in', 'access_token', 'refresh_token', 'expires_at', 'id_token'];

/** Whether a parsed JSON object is such a file. */
export function isLegacyToken(root: Readonly<Record<string, unknown>>): boolean {
  const dated = root.expires_at !== undefined || root.expires_in !== undefined;
  return typeof root.access_token === 'string' && typeof root.token_type === 'string' && dated;
}

/** The refresh token that waits for its import, with the scopes it was granted. */
export function legacyRefreshToken(
  extra: ReadonlyMap<string, unknown>,
): { readonly secret: string; readonly scopes: readonly string[] } | undefined {
  if (extra.size === 0) return undefined;
  const root = Object.fromEntries(FIELDS.map((name) => [name, extra.get(name)]));
  const secret = root.refresh_token;
  if (!isLegacyToken(root) || typeof secret !== 'string' || secret === '') return undefined;
  const scope = root.scope;
  const scopes = typeof scope === 'string' ? scope : Array.isArray(scope) ? scope.filter((item) => typeof item === 'string') : '';
  return { secret, scopes: splitScopes(scopes) };
}

/** Root members to drop once the import is done. */
export const legacyFields: readonly string[] = FIELDS;
