import { homeIdOf } from './accounts.js';
import { entityKey, tenantOfHomeId } from './entity-keys.js';
import { isEntraEnvironment } from './environments.js';
import { textClaim } from './id-token-claims.js';
import type { RecordDraft } from './record-state.js';
import type { AccountEntity } from './schema.js';
import { withProfile } from './tenant-profiles.js';
import type { Issue } from './token-event.js';

/** Stores or updates the account that an answer speaks for. */
export function addAccount(draft: RecordDraft, issue: Issue): void {
  const home_account_id = issue.identity.homeAccountId ?? '';
  const { environment } = issue;
  const realm = tenantOfHomeId(home_account_id) || issue.identity.realm;
  const key = entityKey('Account', { home_account_id, environment, realm });
  const previous = draft.state.Account.get(key);
  if (previous && issue.answer.idToken === undefined) return;
  draft.set('Account', key, {
    authority_type: issue.answer.clientInfo !== undefined || isEntraEnvironment(environment) ? 'MSSTS' : 'Generic',
    local_account_id: localIdOf(home_account_id),
    realm,
    ...previous,
    home_account_id,
    environment,
    ...namesOf(previous, issue),
    ...(issue.answer.clientInfo === undefined ? {} : { client_info: issue.answer.clientInfo }),
    ...profilesOf(previous, issue),
  });
}

function localIdOf(homeAccountId: string): string {
  return tenantOfHomeId(homeAccountId) === '' ? homeAccountId : homeAccountId.slice(0, homeAccountId.indexOf('.'));
}

// A guest's id token carries the name in the tenant visited; the account keeps the name it has at home.
function namesOf(previous: AccountEntity | undefined, { event, identity }: Issue): { username: string; name?: string } {
  const { claims, homeAccountId } = identity;
  const atHome = textClaim(claims, 'tid')?.toLowerCase() === tenantOfHomeId(homeIdOf(homeAccountId));
  const username = textClaim(claims, 'preferred_username', 'upn', 'email') ?? event.username;
  const name = textClaim(claims, 'name');
  if (previous?.username && !atHome && tenantOfHomeId(homeIdOf(homeAccountId)) !== '') return { username: previous.username };
  return { username: username ?? previous?.username ?? '', ...(name === undefined ? {} : { name }) };
}

function profilesOf(
  previous: AccountEntity | undefined,
  { answer, identity }: Issue,
): { readonly tenantProfiles?: readonly string[] } {
  if (answer.idToken === undefined || textClaim(identity.claims, 'tid') === undefined) return {};
  return { tenantProfiles: withProfile(previous?.tenantProfiles, identity.homeAccountId ?? '', identity.claims) };
}
