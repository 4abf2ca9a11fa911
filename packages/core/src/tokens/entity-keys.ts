import type { AccessTokenEntity, AccountEntity, CredentialEntity, Entity, RefreshTokenEntity, SectionName } from './schema.js';

/**
 * The key under which a record files an entity: msal-node 7's form, so that what msal-node refreshes later replaces our
 * entry instead of standing beside it. Lower case, joined by hyphens.
 */
export function entityKey(section: SectionName, entity: Entity, storedUnder = ''): string {
  switch (section) {
    case 'Account':
      return accountKey(entity as AccountEntity);
    case 'IdToken':
      return credentialKey(entity as CredentialEntity, 'idtoken', `${text(entity.realm)}--`);
    case 'AccessToken':
      return accessTokenKey(entity as AccessTokenEntity, storedUnder);
    case 'RefreshToken':
      return refreshTokenKey(entity as RefreshTokenEntity);
    case 'AppMetadata':
      return `appmetadata-${entity.environment}-${text(entity.client_id)}`.toLowerCase();
  }
}

/** The tenant half of `<uid>.<utid>`; empty for other account ids. */
export function tenantOfHomeId(homeAccountId: string): string {
  const dot = homeAccountId.indexOf('.');
  if (dot < 0 || homeAccountId.includes('@') || homeAccountId.indexOf('.', dot + 1) >= 0) return '';
  return homeAccountId.slice(dot + 1).toLowerCase();
}

function accountKey(account: AccountEntity): string {
  const tenant = betweenDots(account.home_account_id) || account.realm || '';
  return `${account.home_account_id}-${account.environment}-${tenant}`.toLowerCase();
}

/** What stands between the first dot and the second or the end. */
function betweenDots(text: string): string {
  const dot = text.indexOf('.');
  if (dot < 0) return '';
  const next = text.indexOf('.', dot + 1);
  return next < 0 ? text.slice(dot + 1) : text.slice(dot + 1, next);
}

function credentialKey(entity: CredentialEntity, type: string, rest: string): string {
  return `${entity.home_account_id ?? ''}-${entity.environment}-${type}-${entity.client_id}-${rest}`.toLowerCase();
}

function accessTokenKey(token: AccessTokenEntity, storedUnder: string): string {
  // msal-node appends a hash of these components; it is part of the key as stored, so it is kept from there.
  if (token.additionalCacheKeyComponents && storedUnder !== '') return storedUnder.toLowerCase();
  const type = token.credential_type ?? 'accesstoken';
  const scheme = token.token_type && token.token_type.toLowerCase() !== 'bearer' ? token.token_type : '';
  // Our addition: two assertions of one user are two tokens, and neither is the user's own.
  const assertion = token.userAssertionHash ? `-${token.userAssertionHash}` : '';
  return credentialKey(token, type, `${token.realm ?? ''}-${token.target ?? ''}-${scheme}${assertion}`);
}

// Neither tenant nor scopes: a refresh token serves all of them, and MSAL Python's scopes in the key are what makes
// msal-node find a spent one first.
function refreshTokenKey(token: RefreshTokenEntity): string {
  const owner = token.family_id || token.client_id;
  return `${token.home_account_id ?? ''}-${token.environment}-refreshtoken-${owner}---`.toLowerCase();
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
