import { homeIdOf, homeTenantOf } from './accounts.js';
import { type Claims, claimsOf, jsonInBase64, textClaim } from './id-token-claims.js';
import type { RecordState } from './record-state.js';
import type { TokenEvent } from './schema.js';
import { isPseudoTenant, isTenantGuid } from './tenants.js';
import type { TokenAnswer } from './token-answer.js';

/** Whom an answer speaks for. */
export interface Identity {
  /** `null`: the program itself. */
  readonly homeAccountId: string | null;
  readonly realm: string;
  /** The tenant as it was asked for, where that is a domain and the answer named its id. */
  readonly tenantAlias?: string;
  readonly claims: Claims;
}

/** For servers that name nobody: one such account per client and record. */
const ANONYMOUS = 'anonymous';
const DELEGATED = new Set(['authorization_code', 'password', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']);

/**
 * Reads who it is. Entra's `client_info` comes first: a guest's id token names the tenant visited, while the account
 * stays the one of the home tenant.
 */
export function identify(state: RecordState, answer: TokenAnswer, event: TokenEvent): Identity {
  const claims = answer.idToken === undefined ? {} : claimsOf(answer.idToken);
  const homeAccountId = homeAccountIdOf(answer, claims, event);
  return { homeAccountId, claims, ...tenantOf(state, homeAccountId, claims, event) };
}

function homeAccountIdOf(answer: TokenAnswer, claims: Claims, event: TokenEvent): string | null {
  if (event.grantType === 'client_credentials') return null;
  const { uid, utid } = answer.clientInfo === undefined ? {} : jsonInBase64(answer.clientInfo);
  if (typeof uid === 'string' && typeof utid === 'string' && uid !== '') return utid === '' ? uid : `${uid}.${utid}`;
  if (event.homeAccountId) return event.homeAccountId;
  const { oid, tid } = claims;
  if (typeof oid === 'string' && typeof tid === 'string') return `${oid}.${tid}`;
  const named = textClaim(claims, 'sub') ?? event.username;
  if (named) return named;
  return answer.refreshToken !== undefined || DELEGATED.has(event.grantType ?? '') ? ANONYMOUS : null;
}

function tenantOf(
  state: RecordState,
  homeAccountId: string | null,
  claims: Claims,
  { tenantId }: TokenEvent,
): { readonly realm: string; readonly tenantAlias?: string } {
  const asked = isPseudoTenant(tenantId) ? '' : (tenantId ?? '').toLowerCase();
  const answered = textClaim(claims, 'tid');
  const realm = answered ?? (asked === '' ? homeTenantOf(state, homeIdOf(homeAccountId)) : realmOfAlias(state, asked));
  return asked === '' || isTenantGuid(asked) || asked === realm.toLowerCase() ? { realm } : { realm, tenantAlias: asked };
}

// A domain name whose tenant id an earlier answer told.
function realmOfAlias(state: RecordState, asked: string): string {
  if (isTenantGuid(asked)) return asked;
  for (const token of state.AccessToken.values()) if (token.tokenry_tenant === asked && token.realm) return token.realm;
  return asked;
}
