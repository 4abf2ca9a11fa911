import { type HomeId, homeIdOf, sameName } from './accounts.js';
import { grantedScopes, servesUntil } from './grant.js';
import type { AccessTokenEntity } from './schema.js';
import { hasResource, type ScopeSet } from './scope-set.js';
import { isForTenant, type WantedTenant } from './tenants.js';
import { seconds } from './token-times.js';

/** What an access token must be to be used; what is left out does not restrict. */
export interface AccessTokenCriteria {
  readonly home: HomeId | undefined;
  readonly clientId?: string | undefined;
  /** Canonical names. */
  readonly environments?: readonly string[];
  /** `undefined`: any tenant. */
  readonly tenant?: WantedTenant | undefined;
  readonly asked?: ScopeSet | undefined;
  /** In normal form. */
  readonly resource?: string | undefined;
  /** On-behalf-of tokens serve their own assertion only, and no other token serves it. */
  readonly userAssertionHash: string | undefined;
}

/** A token that fits, and for how long it may be used for what was asked. */
export interface AccessTokenMatch {
  readonly token: AccessTokenEntity;
  /** Epoch seconds. */
  readonly servesUntil: number;
}

const BOUND_TYPES: ReadonlySet<string> = new Set(['pop', 'ssh-cert']);

/** The newest of the tokens that fit; the later expiry among equals, then the one stored last. */
export function newestMatch(tokens: Iterable<AccessTokenEntity>, criteria: AccessTokenCriteria): AccessTokenMatch | undefined {
  let best: AccessTokenMatch | undefined;
  for (const token of tokens) {
    if (!fits(token, criteria)) continue;
    const until = criteria.asked ? servesUntil(token, criteria.asked) : (seconds(token.expires_on) ?? 0);
    if (until !== undefined && (!best || !isOlder(token, best.token))) best = { token, servesUntil: until };
  }
  return best;
}

function fits(token: AccessTokenEntity, criteria: AccessTokenCriteria): boolean {
  const { home, clientId, environments, tenant, resource } = criteria;
  return (
    !isBound(token) &&
    (home === undefined || homeIdOf(token.home_account_id) === home) &&
    (token.userAssertionHash ?? undefined) === criteria.userAssertionHash &&
    (clientId === undefined || sameName(token.client_id, clientId)) &&
    (environments === undefined || environments.includes(token.environment)) &&
    (tenant === undefined || isForTenant(token, tenant)) &&
    (resource === undefined || hasResource(grantedScopes(token), resource))
  );
}

/** Whether MSAL bound this token to a key: who sends it as a bearer token is refused. */
export function isBound({ credential_type, token_type }: AccessTokenEntity): boolean {
  if (credential_type === 'AccessToken_With_AuthScheme') return true;
  return typeof token_type === 'string' && token_type !== 'Bearer' && BOUND_TYPES.has(token_type.toLowerCase());
}

/** Whether `a` was obtained before `b`. */
export function isOlder(a: AccessTokenEntity, b: AccessTokenEntity): boolean {
  const [cachedA, cachedB] = [seconds(a.cached_at) ?? 0, seconds(b.cached_at) ?? 0];
  if (cachedA !== cachedB) return cachedA < cachedB;
  return (seconds(a.expires_on) ?? 0) < (seconds(b.expires_on) ?? 0);
}
