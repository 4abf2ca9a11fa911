import { leaseName } from '../backend/lease-name.js';
import { AccountRemovedError, AmbiguousAccountError, NotAuthenticatedError } from '../errors.js';
import { userAssertionHash } from '../provider/assertion-hash.js';
import type { AccessTokenRequest } from '../tokens/access-token-index.js';
import type { AccountInfo } from '../tokens/schema.js';
import type { TokenCache } from '../tokens/token-cache.js';
import type { TokenRequest } from './token-request.js';

/** Who a token is wanted for: the program itself, or the selected account of a record. */
export interface Question {
  /** Unique for all other fields. */
  readonly id: string;
  readonly appOnly: boolean;
  readonly homeAccountId?: string | undefined;
  readonly username?: string | undefined;
  /** Fully qualified, without reserved scopes. */
  readonly scopes: readonly string[];
  readonly tenantId?: string | undefined;
  /** Incoming token of an on-behalf-of request. */
  readonly assertion?: string | undefined;
}

/** Where tokens are looked for and leased. */
export interface TokenPlace {
  readonly backendId: string;
  readonly tokenKey: string;
  readonly authority: string;
  readonly clientId: string;
  readonly environments: readonly string[];
}

/**
 * The account that a question is about; `undefined` for the program itself.
 * @throws AmbiguousAccountError when several accounts of this client fit; NotAuthenticatedError or AccountRemovedError
 * when none does.
 */
export function accountFor(question: Question, cache: TokenCache | undefined, clientId: string): AccountInfo | undefined {
  if (question.appOnly || question.assertion !== undefined) return undefined;
  const account = cache && selectedAccount(question, cache, clientId);
  if (account) return account;
  if (cache && !cache.hasData) throw new AccountRemovedError('The account was signed out; it must sign in again.');
  const who = question.username ?? question.homeAccountId;
  throw new NotAuthenticatedError(
    who === undefined
      ? 'No account is signed in under this token key.'
      : `The account "${who}" is not signed in under this token key.`,
  );
}

/** As {@link accountFor}, but nobody is not an error. */
export function selectedAccount(question: Question, cache: TokenCache, clientId: string): AccountInfo | undefined {
  const { homeAccountId, username } = question;
  if (homeAccountId !== undefined) return cache.getAccount({ homeAccountId });
  if (username !== undefined) return cache.getAccount({ username });
  const own = ownAccounts(cache, clientId);
  if (own.length < 2) return own[0];
  throw new AmbiguousAccountError(
    'Several accounts are signed in under this token key; choose one by homeAccountId or username.',
    { homeAccountIds: own.map((account) => account.homeAccountId) },
  );
}

/** The accounts that hold tokens of this application: another one's may live in the same record. */
export function ownAccounts(
  cache: TokenCache,
  clientId: string,
  query: { readonly username?: string } = {},
): readonly AccountInfo[] {
  return cache.getAccounts(query).filter((account) => hasTokens(cache, account, clientId));
}

function hasTokens(cache: TokenCache, { homeAccountId }: AccountInfo, clientId: string): boolean {
  return cache.tokenIsLongLived({ homeAccountId, clientId }) || cache.getAccessToken({ homeAccountId, clientId }) !== undefined;
}

/** What finds the answer to a question in a record. */
export function matchFor(question: Question, place: TokenPlace, account: AccountInfo | undefined): AccessTokenRequest {
  const { scopes, tenantId, assertion } = question;
  const { clientId, environments } = place;
  const homeAccountId = account?.homeAccountId;
  return {
    id: `${question.id}\n${homeAccountId ?? ''}`,
    clientId,
    environments,
    homeAccountId: homeAccountId ?? null,
    scopes,
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(assertion === undefined ? {} : { userAssertionHash: userAssertionHash(assertion) }),
  };
}

/** The token request behind a question, once the account is known. */
export function requestFor(
  question: Question,
  place: TokenPlace,
  options: { readonly account: AccountInfo | undefined; readonly claims?: string | undefined },
): TokenRequest {
  const { scopes, tenantId, assertion } = question;
  const match = matchFor(question, place, options.account);
  const homeAccountId = options.account?.homeAccountId;
  return {
    tokenKey: place.tokenKey,
    grantType: grantTypeOf(question),
    match,
    homeAccountId,
    tenantId,
    scopes,
    claims: options.claims,
    // Different people's assertions have nothing to wait for one another.
    leaseName: leaseName({ ...place, homeAccountId, scopes: [tenantId ?? '', match.userAssertionHash ?? '', ...scopes] }),
    ...(assertion === undefined ? {} : { assertion }),
  };
}

function grantTypeOf({ appOnly, assertion }: Question): TokenRequest['grantType'] {
  if (assertion !== undefined) return 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  return appOnly ? 'client_credentials' : 'refresh_token';
}
