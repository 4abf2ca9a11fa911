import { randomUUID } from 'node:crypto';
import type { AuthorityState } from './authority-state.js';
import type { Person } from './directory.js';
import { permissionOf } from './scopes.js';

/** Claims of the ID token, as Entra ID's v2.0 endpoint issues them. */
export function idTokenClaims(
  person: Person,
  tenantId: string,
  state: AuthorityState,
): Record<string, unknown> & { sub: string } {
  return {
    sub: person.accountId,
    ...state.directory.identityIn(tenantId, person),
    name: person.name,
    preferred_username: person.username,
    email: person.username,
    ver: '2.0',
    uti: randomUUID(),
  };
}

/** Names of the ID token claims by the scope that gives them; Entra ID puts nearly all into every ID token. */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'oid', 'tid', 'ver', 'uti', 'name', 'preferred_username'],
  profile: ['name', 'preferred_username'],
  email: ['email'],
};

/** What an access token is issued for. */
export interface AccessTokenSubject {
  readonly clientId: string;
  readonly scope: string;
  readonly tenantId: string;
  readonly person: Person | undefined;
}

/** Claims of an access token: `scp` when somebody signed in, `roles` and `idtyp` when the application acts for itself. */
export function accessTokenClaims(subject: AccessTokenSubject, state: AuthorityState): Record<string, unknown> {
  const { person, tenantId, clientId } = subject;
  const common = { appid: clientId, azp: clientId, ver: '2.0', uti: randomUUID() };
  if (!person) return { ...common, idtyp: 'app', tid: tenantId, oid: clientId, roles: state.clients.appRoles(clientId) };
  const { oid, tid } = state.directory.identityIn(tenantId, person);
  const scp = subject.scope
    .split(' ')
    .map(permissionOf)
    .filter((name) => name !== '.default')
    .join(' ');
  return {
    ...common,
    idtyp: 'user',
    oid,
    tid,
    name: person.name,
    preferred_username: person.username,
    upn: person.username,
    scp,
  };
}

/** `client_info` of a token answer: where the account is at home. For guests this differs from `oid` and `tid`. */
export function clientInfo(person: Person): string {
  return Buffer.from(JSON.stringify({ uid: person.homeOid, utid: person.homeTenantId })).toString('base64url');
}
