import type { Clock } from '../clock.js';
import type { TokenCache } from '../tokens/token-cache.js';
import type { Grant } from './grant.js';

/** The parts of a sign-in request that reach the authorization server. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE, method S256 (RFC 7636). */
  readonly codeChallenge: string;
  readonly prompt?: string;
  readonly loginHint?: string;
  readonly domainHint?: string;
  readonly claims?: string;
  readonly extraParameters?: Readonly<Record<string, string>>;
}

export interface ProviderContext {
  /** Fully qualified, without reserved OIDC scopes. */
  readonly scopes: readonly string[];
  readonly tenantId?: string;
  readonly claims?: string;
  readonly signal?: AbortSignal;
  /** The account's transport; never retries by itself. */
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** Opaque, JSON-safe state of a device-code sign-in (RFC 8628). */
export interface DeviceFlow {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete?: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly intervalMs: number;
  /** What to tell the person, in one sentence. */
  readonly message: string;
  /** What was asked for, fully qualified. Added by the account, not by providers. */
  readonly scopes?: readonly string[];
}

/** A refusal as the token endpoint put it. */
export interface Refusal {
  readonly error: string;
  readonly suberror?: string;
  readonly description?: string;
  readonly status: number;
}

export interface Classification {
  readonly kind: 'throttled' | 'request-refused' | 'token-refused' | 'transient';
  /** What to do about it, in plain language. */
  readonly hint?: string;
}

/** An authorization server and how to talk to it. Entra ID is the built-in one. */
export interface TokenProvider {
  readonly issuer: string;
  readonly clientId: string;
  /** Names of this server in a token cache; the first is canonical. */
  readonly environments: readonly string[];
  /**
   * Sends one grant and adds what the server answered to `slice`, an isolated cache with this account's entities only.
   * @throws TokenEndpointError when the server refused; `NotSentError` when nothing left this machine; anything else
   * means sent but unanswered.
   */
  exchange(grant: Grant, slice: TokenCache, context: ProviderContext): Promise<void>;
  classify(refusal: Refusal): Classification;
  authorizationUrl?(request: AuthorizationRequest, context: ProviderContext): Promise<string>;
  deviceAuthorization?(context: ProviderContext): Promise<DeviceFlow>;
  logoutUrl?(options: { readonly postLogoutRedirectUri?: string }): string;
  revoke?(slice: TokenCache, context: ProviderContext): Promise<void>;
}
