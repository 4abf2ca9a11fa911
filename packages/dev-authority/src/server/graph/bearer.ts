import type { IncomingMessage } from 'node:http';
import { type AccessTokenClaims, verifyAccessToken } from '../access-token.js';
import type { AuthorityState } from '../authority-state.js';
import { GRAPH, GRAPH_APP_ID } from '../scopes.js';
import { type GraphAnswer, graphError } from './graph-answer.js';

const OWN_HOST = /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\/?$/;

const tokenOf = ({ headers }: IncomingMessage): string | undefined => /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];

/** The client that the token names, for faults: they come before anything is checked. */
export function claimedClient(request: IncomingMessage): string | undefined {
  try {
    const payload = Buffer.from(tokenOf(request)?.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { appid } = JSON.parse(payload) as Partial<AccessTokenClaims>;
    return appid;
  } catch {
    return undefined;
  }
}

/** Who calls, or the 401 that Microsoft Graph would answer. */
export async function authenticate(
  request: IncomingMessage,
  state: AuthorityState,
): Promise<{ readonly claims: AccessTokenClaims } | { readonly refused: GraphAnswer }> {
  const token = tokenOf(request);
  if (token === undefined) return { refused: unauthorized('Access token is empty.', state) };
  const checked = await verifyAccessToken(token, state);
  if ('problem' in checked) {
    const message =
      checked.problem === 'expired'
        ? 'Lifetime validation failed, the token is expired.'
        : `IDX14100: the token is not acceptable (${checked.problem}).`;
    return { refused: unauthorized(message, state) };
  }
  const { aud } = checked.claims;
  if (aud !== GRAPH && aud !== GRAPH_APP_ID && !OWN_HOST.test(aud))
    return { refused: unauthorized('Access token validation failure. Invalid audience.', state) };
  return checked;
}

function unauthorized(message: string, state: AuthorityState): GraphAnswer {
  return graphError(401, 'InvalidAuthenticationToken', message, { 'www-authenticate': challenge(state, 'invalid_token') });
}

/** Continuous access evaluation: the token is fine, but this resource wants other claims in it. */
export function claimsChallenge(claims: string, state: AuthorityState): GraphAnswer {
  const header = `${challenge(state, 'insufficient_claims')}, claims="${Buffer.from(claims).toString('base64')}"`;
  const message = 'Continuous access evaluation resulted in challenge with result: InteractionRequired.';
  return graphError(401, 'InvalidAuthenticationToken', message, { 'www-authenticate': header });
}

const challenge = (state: AuthorityState, error: string) =>
  `Bearer realm="", authorization_uri="${state.origin}/common/oauth2/authorize", client_id="${GRAPH_APP_ID}", error="${error}"`;

/** Whether the token carries one of these permissions, delegated or as an application. */
export function isAllowed(claims: AccessTokenClaims, oneOf: readonly string[]): boolean {
  const held = new Set([...(claims.scp?.split(' ') ?? []), ...(claims.roles ?? [])]);
  return oneOf.some((permission) => held.has(permission));
}
