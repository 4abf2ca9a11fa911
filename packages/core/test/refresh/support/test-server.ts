import { userAssertionHash } from '../../../src/provider/assertion-hash.js';
import type { Grant } from '../../../src/provider/grant.js';
import { TokenEndpointError } from '../../../src/provider/token-endpoint-error.js';
import type { Classification, ProviderContext, Refusal, TokenProvider } from '../../../src/provider/token-provider.js';
import type { TokenCache } from '../../../src/tokens/token-cache.js';
import { CLIENT, ENVIRONMENT } from '../../backend/support/tokens.js';

export const GRAPH_READ = 'https://graph.microsoft.com/User.Read';
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export interface SentCall {
  readonly grantType: Grant['grantType'];
  /** The refresh token or assertion that was sent. */
  readonly sent: string | undefined;
  readonly scopes: readonly string[];
  readonly claims: string | undefined;
}

/** What happens to one call instead of a plain answer; returning lets the server answer. */
export type Twist = (call: SentCall) => void | Promise<void>;

/** An authorization server in memory whose refresh tokens work once. */
export class TestServer implements TokenProvider {
  readonly issuer = `https://${ENVIRONMENT}/tenant-1`;
  readonly clientId = CLIENT;
  readonly environments = [ENVIRONMENT];
  readonly calls: SentCall[] = [];
  /** Used up one per call, in order. */
  readonly twists: Twist[] = [];
  kind: Classification['kind'] = 'token-refused';
  expiresInSeconds = 3600;
  serverNow: number | undefined;
  /** What a provider does before its request leaves through the `fetch` that it is given. */
  beforeFetch: (() => Promise<void>) | undefined;
  /** Calls that are on their way right now, and the most there ever were. */
  readonly inFlight = { now: 0, most: 0 };
  readonly #valid = new Map<string, string>();
  #generation = 100;

  /** A token answer for `name`, as after a sign-in or a refresh of another process; it ends what was valid before. */
  issue(name: string): Record<string, unknown> {
    const generation = ++this.#generation;
    const refreshToken = `rt-TEST-${name}-${generation}`;
    this.#valid.set(name, refreshToken);
    const claims = { oid: name, tid: 'tenant-1', preferred_username: `${name}@contoso.example`, sub: name };
    return {
      token_type: 'Bearer',
      access_token: `at-TEST-${name}-${generation}`,
      refresh_token: refreshToken,
      id_token: `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
      client_info: encoded({ uid: name, utid: 'tenant-1' }),
      expires_in: this.expiresInSeconds,
    };
  }

  /** The refresh token that the server takes for `name`. */
  validFor(name: string): string | undefined {
    return this.#valid.get(name);
  }

  setValid(name: string, refreshToken: string): void {
    this.#valid.set(name, refreshToken);
  }

  async exchange(grant: Grant, slice: TokenCache, context: ProviderContext): Promise<void> {
    if (this.beforeFetch) {
      await this.beforeFetch();
      await context.fetch(this.issuer);
    }
    const call = this.#record(grant, slice, context);
    this.inFlight.most = Math.max(this.inFlight.most, ++this.inFlight.now);
    try {
      await this.twists.shift()?.(call);
    } finally {
      this.inFlight.now -= 1;
    }
    const name = this.#nameFor(grant);
    if (grant.grantType === 'refresh_token' && call.sent !== this.#valid.get(name))
      throw new TokenEndpointError({ error: 'invalid_grant', status: 400 });
    const issued = this.issue(name);
    if (grant.grantType === 'client_credentials')
      for (const user of ['refresh_token', 'id_token', 'client_info']) delete issued[user];
    slice.add({
      response: { ...issued, scope: context.scopes.join(' ') },
      environment: ENVIRONMENT,
      clientId: CLIENT,
      tenantId: 'tenant-1',
      scopes: context.scopes,
      grantType: grant.grantType,
      now: context.clock.now(),
      ...(this.serverNow === undefined ? {} : { serverNow: this.serverNow }),
      ...(grant.grantType === 'refresh_token' ? { homeAccountId: grant.homeAccountId } : {}),
      ...('assertion' in grant ? { userAssertionHash: userAssertionHash(grant.assertion) } : {}),
    });
  }

  classify(_refusal: Refusal): Classification {
    return { kind: this.kind, hint: 'A hint in plain language.' };
  }

  #record(grant: Grant, slice: TokenCache, context: ProviderContext): SentCall {
    const sent =
      grant.grantType === 'refresh_token'
        ? slice.getRefreshToken({ homeAccountId: grant.homeAccountId, clientId: CLIENT })?.secret
        : 'assertion' in grant
          ? grant.assertion
          : undefined;
    const call = { grantType: grant.grantType, sent, scopes: context.scopes, claims: context.claims };
    this.calls.push(call);
    return call;
  }

  #nameFor(grant: Grant): string {
    if (grant.grantType === 'refresh_token') return grant.homeAccountId.replace('.tenant-1', '');
    return 'assertion' in grant ? grant.assertion : 'app';
  }
}
