import { createHash, randomBytes } from 'node:crypto';
import { type DevAuthority, type DevAuthorityOptions, startDevAuthority } from '@tokenry/dev-authority';
import {
  type ApplicationCredentials,
  type AuthFlowType,
  flowTypeOf,
  normaliseCredentials,
} from '../../src/application-credentials.js';
import { systemClock } from '../../src/clock.js';
import { resolveCloud } from '../../src/entra/cloud.js';
import { EntraProvider } from '../../src/entra/entra-provider.js';
import { Transport } from '../../src/http/transport.js';
import type { ProviderContext } from '../../src/provider/token-provider.js';
import type { TokenEvent } from '../../src/tokens/schema.js';
import type { TokenCache } from '../../src/tokens/token-cache.js';

export const GRAPH = 'https://graph.microsoft.com/';
export const REDIRECT_URI = 'http://localhost:8400/signed-in';

/** The dev authority, a transport that trusts it, and a count of every request that left. */
export interface Stage extends AsyncDisposable {
  readonly authority: DevAuthority;
  /** Paths of all requests, discovery included, if there were any. */
  readonly requests: string[];
  readonly fetch: typeof globalThis.fetch;
  context(scopes: readonly string[], more?: Partial<ProviderContext>): ProviderContext;
  provider(
    credentials: ApplicationCredentials,
    more?: { flow?: AuthFlowType; tenantId?: string; clientCapabilities?: readonly string[] },
  ): EntraProvider;
}

export async function openStage(options: DevAuthorityOptions = {}): Promise<Stage> {
  const authority = await startDevAuthority(options);
  const transport = new Transport({ ca: authority.accountOptions.ca, proxy: false });
  const requests: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    requests.push(new URL(String(input)).pathname);
    return transport.tokenFetch(input, init);
  };
  return {
    authority,
    requests,
    fetch,
    context: (scopes, more = {}) => ({ scopes, fetch, clock: systemClock, ...more }),
    provider: (given, { flow, tenantId, clientCapabilities = [] } = {}) => {
      const credentials = normaliseCredentials(given);
      const { accountOptions } = authority;
      return new EntraProvider({
        credentials,
        flow: flowTypeOf(credentials, flow),
        tenantId: tenantId ?? accountOptions.tenantId,
        cloud: resolveCloud(accountOptions.cloud),
        clientCapabilities,
      });
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      await authority.close();
    },
  };
}

/** Takes down what a provider adds, and holds the one refresh token it may spend. */
export function recordingSlice(refreshToken?: string) {
  const events: TokenEvent[] = [];
  const slice = {
    add: (event: TokenEvent) => void events.push(event),
    getRefreshToken: () => (refreshToken === undefined ? undefined : { secret: refreshToken }),
  };
  return {
    slice: slice as unknown as TokenCache,
    events,
    /** The answer in the only event. */
    answer: () => (events[0]?.response ?? {}) as Record<string, string>,
  };
}

/** Signs a user in at the authority and returns what the token endpoint needs next. */
export async function authorize(
  stage: Stage,
  provider: EntraProvider,
  options: { scopes: readonly string[]; username?: string; tenantId?: string },
) {
  const codeVerifier = randomBytes(32).toString('base64url');
  const nonce = randomBytes(16).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const request = { redirectUri: REDIRECT_URI, state: 'state-1', nonce, codeChallenge };
  const tenant = options.tenantId === undefined ? {} : { tenantId: options.tenantId };
  const url = await provider.authorizationUrl(request, stage.context(options.scopes, tenant));
  const redirected = await stage.authority.consentAs(options.username ?? 'ada@contoso.example')({
    url,
    redirectUri: REDIRECT_URI,
  });
  const code = new URL(redirected).searchParams.get('code') ?? '';
  return { grantType: 'authorization_code', code, codeVerifier, redirectUri: REDIRECT_URI, nonce } as const;
}
