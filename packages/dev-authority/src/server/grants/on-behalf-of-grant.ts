import type { KoaContextWithOIDC } from 'oidc-provider';
import { verifyAccessToken } from '../access-token.js';
import type { AuthorityState } from '../authority-state.js';
import { parameter } from '../parameter.js';
import { RefusalError, refusal } from '../refusal.js';
import { issueForPerson } from './issue-for-person.js';

/** `jwt-bearer` with `requested_token_use=on_behalf_of`: a middle tier trades its caller's token for one of its own. */
export async function onBehalfOfGrant(ctx: KoaContextWithOIDC, tenantId: string, state: AuthorityState): Promise<void> {
  const { assertion, requested_token_use: use, scope } = ctx.oidc.params ?? {};
  const clientId = ctx.oidc.client?.clientId ?? '';
  if (use !== 'on_behalf_of')
    throw new RefusalError(refusal('invalid_request', 900144, "The request body must contain 'requested_token_use'."));
  const checked = await verifyAccessToken(parameter(assertion), state);
  if ('problem' in checked) {
    const code = checked.problem === 'expired' ? 500133 : 50013;
    throw new RefusalError(refusal('invalid_grant', code, `Assertion failed validation: ${checked.problem}.`));
  }
  if (![clientId, `api://${clientId}`].includes(checked.claims.aud))
    throw new RefusalError(
      refusal('invalid_grant', 500131, 'Assertion audience does not match the Client app presenting the assertion.'),
    );
  const person = checked.claims.scp === undefined ? undefined : state.directory.byAccountId(checked.claims.sub);
  if (!person)
    throw new RefusalError(refusal('invalid_grant', 50013, 'Assertion failed validation: an app-only token speaks for nobody.'));
  await issueForPerson(ctx, { person, tenantId, gty: 'on_behalf_of', scope: parameter(scope) }, state);
}
