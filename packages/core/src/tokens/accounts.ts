import { AmbiguousAccountError } from '../errors.js';
import { tenantOfHomeId } from './entity-keys.js';
import type { RecordState } from './record-state.js';
import type { AccountEntity, AccountInfo } from './schema.js';

/** Home account id in the form in which it is compared; empty: the program itself. */
export type HomeId = string;

/** The comparable form of a home account id; absent and null are the program itself. */
export function homeIdOf(homeAccountId: string | null | undefined): HomeId {
  return (homeAccountId ?? '').toLowerCase();
}

/** The accounts; the canonical form has one entity for each. */
export function accountsOf(state: RecordState): Map<HomeId, AccountEntity> {
  const accounts = new Map<HomeId, AccountEntity>();
  for (const account of state.Account.values()) {
    const home = homeIdOf(account.home_account_id);
    if (!accounts.has(home)) accounts.set(home, account);
  }
  return accounts;
}

/** What callers get to know of an account. */
export function accountInfo(account: AccountEntity): AccountInfo {
  const { home_account_id: homeAccountId, name } = account;
  const tenantId = tenantOfHomeId(homeAccountId) || (account.realm ?? '');
  const info = { homeAccountId, username: account.username ?? '', tenantId };
  return Object.freeze(name ? { ...info, name } : info);
}

/** The tenant meant when a caller names none. */
export function homeTenantOf(state: RecordState, home: HomeId): string {
  const tenant = tenantOfHomeId(home);
  if (tenant !== '' || home === '') return tenant;
  for (const account of state.Account.values())
    if (homeIdOf(account.home_account_id) === home) return (account.realm ?? '').toLowerCase();
  return '';
}

/** How a caller names an account; naming none means the only one. */
export interface AccountSelection {
  readonly homeAccountId?: string | undefined;
  readonly username?: string | undefined;
}

/**
 * Whose tokens are meant; `undefined` when that account is not here.
 * @throws AmbiguousAccountError when several fit: picking the first would send one person's token for another.
 */
export function selectHome(state: RecordState, { homeAccountId, username }: AccountSelection): HomeId | undefined {
  if (homeAccountId !== undefined && username === undefined) return homeIdOf(homeAccountId);
  const accounts = accountsOf(state);
  if (homeAccountId !== undefined) {
    const account = accounts.get(homeIdOf(homeAccountId));
    return account && sameName(account.username, username) ? homeIdOf(homeAccountId) : undefined;
  }
  if (username === undefined) return onlyOne(accounts.size > 0 ? [...accounts.keys()] : homesOfTokens(state), state) ?? '';
  const named = [...accounts].filter(([, account]) => sameName(account.username, username));
  return onlyOne(
    named.map(([home]) => home),
    state,
  );
}

/** Whether two user names are one: case does not matter, absent names are empty. */
export function sameName(a: string | null | undefined, b: string | null | undefined): boolean {
  return a === b || (a ?? '').toLowerCase() === (b ?? '').toLowerCase();
}

function onlyOne(homes: readonly HomeId[], state: RecordState): HomeId | undefined {
  if (homes.length <= 1) return homes[0];
  const accounts = accountsOf(state);
  throw new AmbiguousAccountError(
    `${homes.length} accounts fit; name one by its homeAccountId. User names can be shared by several accounts.`,
    { homeAccountIds: homes.map((home) => accounts.get(home)?.home_account_id ?? home) },
  );
}

// Tokens of accounts that have no entity: msal-node's acquireTokenByRefreshToken leaves such.
function homesOfTokens(state: RecordState): HomeId[] {
  const homes = new Set<HomeId>();
  for (const section of [state.RefreshToken, state.AccessToken, state.IdToken])
    for (const token of section.values()) homes.add(homeIdOf(token.home_account_id));
  homes.delete('');
  return [...homes];
}
