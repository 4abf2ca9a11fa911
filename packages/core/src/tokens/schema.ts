/**
 * The MSAL unified cache schema as python-o365, MSAL Python and msal-node write it: five sections of entities with
 * snake_case fields, times as decimal strings of epoch seconds. Pure types.
 */

/** An identity that tokens speak for; `homeAccountId` identifies it, user names do not. */
export interface AccountInfo {
  readonly homeAccountId: string;
  readonly username: string;
  /** The account's home tenant; empty where the server knows no tenants. */
  readonly tenantId: string;
  readonly name?: string;
}

/** The sections of a record. */
export type SectionName = 'Account' | 'IdToken' | 'AccessToken' | 'RefreshToken' | 'AppMetadata';

/** What every entity has; fields that no rule here knows are kept as they are. Frozen, and shared between clones. */
export interface Entity {
  readonly environment: string;
  readonly [field: string]: unknown;
}

/** Who signed in: one entity per account and server. */
export interface AccountEntity extends Entity {
  readonly home_account_id: string;
  readonly realm?: string;
  readonly local_account_id?: string;
  readonly username?: string;
  readonly name?: string;
  readonly authority_type?: string;
  readonly client_info?: string;
  /** JSON texts, one per tenant that the account was seen in (msal-node). */
  readonly tenantProfiles?: readonly string[];
  /** Epoch ms of the last sign-in that went through this library; what tells a sign-in from a refresh in a merge. */
  readonly tokenry_signed_in_at?: string;
}

/** What all kinds of tokens have in common. */
export interface CredentialEntity extends Entity {
  /** Empty or null: the token speaks for the program itself. */
  readonly home_account_id?: string | null;
  readonly client_id: string;
  readonly secret: string;
  readonly credential_type?: string;
  readonly realm?: string;
}

/** A token for one API. */
export interface AccessTokenEntity extends CredentialEntity {
  /** Scopes as the server granted them, separated by spaces. */
  readonly target?: string;
  readonly token_type?: string;
  readonly cached_at?: string | number;
  readonly expires_on?: string | number;
  readonly extended_expires_on?: string | number;
  readonly refresh_on?: string | number;
  readonly userAssertionHash?: string;
  /** Requests that the server answered with this grant although they asked for more: `<epoch seconds until> <scopes>`. */
  readonly tokenry_answers?: readonly string[];
  /** The tenant as the program named it, where that is not `realm`: a domain name. */
  readonly tokenry_tenant?: string;
}

/** What new tokens are obtained with; one per account and client or family of clients. */
export interface RefreshTokenEntity extends CredentialEntity {
  readonly family_id?: string;
  /** Scopes of the answer that brought it (python-o365 refreshes with them). */
  readonly target?: string;
  readonly last_modification_time?: string | number;
}

/** What the server said about who signed in. */
export interface IdTokenEntity extends CredentialEntity {}

/** What the server said about a client: its family of clients. */
export interface AppMetadataEntity extends Entity {
  readonly client_id: string;
  readonly family_id?: string;
}

/** Which entity type lives in which section. */
export interface SectionEntities {
  readonly Account: AccountEntity;
  readonly IdToken: IdTokenEntity;
  readonly AccessToken: AccessTokenEntity;
  readonly RefreshToken: RefreshTokenEntity;
  readonly AppMetadata: AppMetadataEntity;
}

/** One answer of a token endpoint, and what the caller knows about the question. */
export interface TokenEvent {
  /** Body of the answer (RFC 6749 section 5.1); one with `error` throws `TokenEndpointError`. */
  readonly response: unknown;
  /** HTTP status of an answer with `error`. @default 400 */
  readonly status?: number;
  /** Host of the authorization server; any alias of its cloud. */
  readonly environment?: string;
  readonly clientId?: string;
  /** Tenant that was asked; the id token's `tid` wins. */
  readonly tenantId?: string;
  /** Account that the grant spoke for; the answer's `client_info` wins. */
  readonly homeAccountId?: string;
  /** Used where the answer's id token names nobody. */
  readonly username?: string;
  /** What was asked; also what was granted where the answer does not say. */
  readonly scopes?: readonly string[];
  readonly grantType?: string;
  /** On-behalf-of: hash of the assertion; such tokens serve only requests with the same hash. */
  readonly userAssertionHash?: string;
  /** Epoch ms by our clock. @default the slice's own `now()` */
  readonly now?: number;
  /** Epoch ms from the answer's `Date` header; used for `expires_on` when more than 30 s off `now`. */
  readonly serverNow?: number;
}

/** Which token is meant; what is left out does not restrict. */
export interface TokenQuery {
  /** The empty string selects tokens of the program itself. */
  readonly homeAccountId?: string;
  /** Compared without regard to case. */
  readonly username?: string;
  readonly clientId?: string;
  readonly tenantId?: string;
  /** Short or full scopes; a string is split at spaces. */
  readonly scopes?: string | readonly string[];
  /** Service URL or application id URI, such as `https://graph.microsoft.com`. */
  readonly resource?: string;
}

/** An access token as a request finds it. `secret` is not enumerable: neither `inspect` nor JSON shows it. */
export interface StoredAccessToken {
  readonly secret: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Epoch ms from which the server would like it refreshed. */
  readonly refreshAt?: number;
  /** Epoch ms. */
  readonly cachedAt: number;
  /** As granted. */
  readonly scopes: readonly string[];
  /** `null`: the token speaks for the program itself. */
  readonly homeAccountId: string | null;
  readonly tenantId: string;
}

/** What the last `add` stored. */
export interface AddedTokens {
  /** `null`: the token speaks for the program itself. */
  readonly homeAccountId: string | null;
  /** Server's clock minus ours, 0 when within 30 s; add it to our clock before comparing with `expiresAt`. */
  readonly clockOffsetMs: number;
  readonly accessToken?: StoredAccessToken;
}
