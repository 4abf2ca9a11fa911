import { kvStoreOf, type MsalTokenCache } from './msal-types.js';

const MAX_REFRESHES = 10_000;

interface RefreshToken {
  readonly homeAccountId: string;
  readonly clientId: string;
  readonly familyId?: string;
  readonly secret: string;
}

type GetRefreshToken = (account: unknown, family: unknown, correlationId: unknown, ...rest: unknown[]) => unknown;
type SetRefreshToken = (token: unknown, correlationId: unknown, ...rest: unknown[]) => unknown;

/**
 * Keeps a late refresh from replacing a newer sign-in: of every refresh it knows which token was sent, and when its answer is to be
 * remembered and the record holds another token by then, that one stays. The access token of the answer is remembered
 * all the same. msal-node tells neither; both calls of its storage carry the correlation id of the operation.
 */
export class SpentTokens {
  readonly #sent = new Map<unknown, RefreshToken>();

  constructor(tokenCache: MsalTokenCache) {
    const { storage } = tokenCache as {
      storage?: { getRefreshToken?: GetRefreshToken; setRefreshTokenCredential?: SetRefreshToken };
    };
    const { getRefreshToken, setRefreshTokenCredential } = storage ?? {};
    if (!storage || typeof getRefreshToken !== 'function' || typeof setRefreshTokenCredential !== 'function') return;
    storage.getRefreshToken = (account, family, correlationId, ...rest) => {
      const found = getRefreshToken.call(storage, account, family, correlationId, ...rest);
      if (isRefreshToken(found)) this.#note(correlationId, found);
      return found;
    };
    storage.setRefreshTokenCredential = (token, correlationId, ...rest) => {
      const sent = this.#sent.get(correlationId);
      this.#sent.delete(correlationId);
      if (sent && isRefreshToken(token) && isReplaced(sent, token, tokenCache)) return Promise.resolve();
      return setRefreshTokenCredential.call(storage, token, correlationId, ...rest);
    };
  }

  // A copy: msal-node may change the entity.
  #note(correlationId: unknown, sent: RefreshToken): void {
    this.#sent.delete(correlationId);
    this.#sent.set(correlationId, { ...sent });
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > MAX_REFRESHES) this.#sent.delete(oldest);
  }
}

/** Whether somebody put another token in the place of the one that was sent, and for which `answered` came back. */
function isReplaced(sent: RefreshToken, answered: RefreshToken, tokenCache: MsalTokenCache): boolean {
  if (!isSamePlace(sent, answered)) return false;
  const stored = Object.values(kvStoreOf(tokenCache) ?? {}).filter(
    (entity) => isRefreshToken(entity) && isSamePlace(entity, sent),
  );
  return stored.length > 0 && !stored.some((entity) => (entity as RefreshToken).secret === sent.secret);
}

function isSamePlace(one: RefreshToken, other: RefreshToken): boolean {
  return (
    one.homeAccountId === other.homeAccountId &&
    one.clientId === other.clientId &&
    (one.familyId ?? '') === (other.familyId ?? '')
  );
}

function isRefreshToken(entity: unknown): entity is RefreshToken {
  const { credentialType, secret } = (entity ?? {}) as { readonly credentialType?: unknown; readonly secret?: unknown };
  return credentialType === 'RefreshToken' && typeof secret === 'string';
}
