import type { Clock } from '../clock.js';
import type { ProviderContext, TokenProvider } from '../provider/token-provider.js';
import type { AccountInfo } from '../tokens/schema.js';
import type { TokenCache } from '../tokens/token-cache.js';

/** What a sign-in works with; the account makes one. */
export interface SignInDependencies {
  readonly provider: TokenProvider;
  readonly clock: Clock;
  /** Completes a request to the provider with transport, clock and tenant. */
  readonly contextFor: (scopes: readonly string[], options: ContextOptions) => ProviderContext;
  /** 32 bytes each. The first seals new flows, all of them open; absent: flows are protected against change only. */
  readonly flowKeys?: readonly Uint8Array[];
}

export interface ContextOptions {
  readonly claims?: string;
  readonly signal?: AbortSignal;
}

/** What to ask a person for. */
export interface SignInRequest {
  /** Fully qualified, without reserved OIDC scopes. */
  readonly scopes: readonly string[];
  readonly redirectUri?: string;
  readonly prompt?: string;
  readonly loginHint?: string;
  readonly domainHint?: string;
  readonly claims?: string;
  readonly extraParameters?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A finished sign-in, not stored yet: `cache.applySignIn(slice)` does that. */
export interface SignedIn {
  readonly account: AccountInfo;
  /** As granted, which may be less than asked. */
  readonly scopes: readonly string[];
  readonly slice: TokenCache;
}

/** What a redirect or a device code is filed under while the person signs in; also what the flow remembers of it. */
export interface FlowState {
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly claims?: string;
}
