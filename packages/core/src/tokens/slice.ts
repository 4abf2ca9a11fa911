import { type HomeId, homeIdOf } from './accounts.js';
import { canonicalEnvironment } from './environments.js';
import { EMPTY_STATE, type RecordState } from './record-state.js';
import type { CredentialEntity } from './schema.js';

/** What a slice is cut for. */
export interface SliceOptions {
  /** Absent: nobody yet, or the program itself. */
  readonly homeAccountId?: string;
  readonly clientId: string;
  readonly tenantId?: string;
  readonly environment: string;
  /** Our clock, in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * The entities that one client may use for one account: its own tokens, and the refresh tokens of its family. Nothing of
 * other accounts can leak into an exchange, or be lost by it.
 */
export function sliceOf(state: RecordState, { homeAccountId, clientId, environment }: SliceOptions): RecordState {
  const home = homeIdOf(homeAccountId);
  const server = canonicalEnvironment(environment);
  const own = <T extends CredentialEntity>(token: T) => isOf(token, home, server) && sameClient(token, clientId);
  return {
    Account: filtered(state.Account, (account) => isOf(account, home, server)),
    IdToken: filtered(state.IdToken, own),
    AccessToken: filtered(state.AccessToken, own),
    RefreshToken: filtered(state.RefreshToken, (token) => own(token) || (!!token.family_id && isOf(token, home, server))),
    AppMetadata: filtered(state.AppMetadata, (app) => app.environment === server),
    extra: EMPTY_STATE.extra,
  };
}

function isOf(
  entity: { readonly environment: string; readonly home_account_id?: string | null },
  home: HomeId,
  server: string,
): boolean {
  return entity.environment === server && homeIdOf(entity.home_account_id) === home;
}

function sameClient(token: CredentialEntity, clientId: string): boolean {
  return token.client_id.toLowerCase() === clientId.toLowerCase();
}

function filtered<E>(section: ReadonlyMap<string, E>, keep: (entity: E) => boolean): ReadonlyMap<string, E> {
  return new Map([...section].filter(([, entity]) => keep(entity)));
}
