import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorityState } from '../authority-state.js';
import type { Person } from '../directory.js';
import { parameter } from '../parameter.js';
import { RefusalError, refusal } from '../refusal.js';
import { issueForPerson } from './issue-for-person.js';

/** `grant_type=password`: legacy, but programs still use it. */
export async function passwordGrant(ctx: KoaContextWithOIDC, tenantId: string, state: AuthorityState): Promise<void> {
  const { username, password, scope } = ctx.oidc.params ?? {};
  const person = findPerson(state, parameter(username));
  const given = parameter(password);
  const matches = person?.password === undefined ? given !== '' && !given.startsWith('wrong') : given === person.password;
  if (!person || !matches)
    throw new RefusalError(refusal('invalid_grant', 50126, 'Error validating credentials due to invalid username or password.'));
  await issueForPerson(ctx, { person, tenantId, gty: 'password', scope: parameter(scope) }, state);
}

function findPerson(state: AuthorityState, username: string): Person | undefined {
  try {
    return state.directory.byUsername(username);
  } catch {
    return undefined; // not a user name: the same answer as for a wrong password, as with Entra ID
  }
}
