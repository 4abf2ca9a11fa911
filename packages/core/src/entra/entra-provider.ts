import type { AuthFlowType, NormalisedCredentials } from '../application-credentials.js';
import { StateMismatchError } from '../errors.js';
import { invalidArgument } from '../options.js';
import { userAssertionHash } from '../provider/assertion-hash.js';
import type { Grant } from '../provider/grant.js';
import { NotSentError, TokenEndpointError } from '../provider/token-endpoint-error.js';
import type {
  AuthorizationRequest,
  Classification,
  DeviceFlow,
  ProviderContext,
  Refusal,
  TokenProvider,
} from '../provider/token-provider.js';
import type { TokenCache } from '../tokens/token-cache.js';
import { classifyRefusal } from './aadsts.js';
import { authorizationUrl, claimsWith } from './authorization-url.js';
import { ClientAuthenticator } from './client-authentication.js';
import type { Cloud } from './cloud.js';
import { redeemDeviceCode, requestDeviceCode } from './device-code.js';
import { type Endpoints, endpointsOf, isSharedTenant } from './endpoints.js';
import { environmentsOf } from './environments.js';
import { managedIdentityToken } from './managed-identity.js';
import { CapturingNetworkClient } from './network-client.js';
import { sendGrant } from './send-grant.js';
import { type TokenAnswer, UnreadableAnswerError } from './token-answer.js';

export interface EntraProviderOptions {
  readonly credentials: NormalisedCredentials;
  readonly flow: AuthFlowType;
  /** Tenant id, domain name, `common`, `organizations` or `consumers`. */
  readonly tenantId: string;
  readonly cloud: Cloud;
  /**
   * What this program can handle: `['cp1']` announces that it answers claims challenges (continuous access evaluation),
   * and gets tokens that live up to 28 hours but may be revoked at once.
   * @default []
   */
  readonly clientCapabilities?: readonly string[];
}

/** Microsoft Entra ID, in any of its clouds. */
export class EntraProvider implements TokenProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly environments: readonly string[];
  readonly #options: Required<EntraProviderOptions>;
  readonly #authenticator: ClientAuthenticator;

  /**
   * No I/O.
   * @throws TypeError when the flow needs a tenant of its own and none is named.
   */
  constructor(options: EntraProviderOptions) {
    const { credentials, flow, tenantId, cloud, clientCapabilities = [] } = options;
    checkTenant(tenantId, flow, credentials);
    this.#options = { credentials, flow, tenantId, cloud, clientCapabilities };
    this.#authenticator = new ClientAuthenticator(credentials);
    this.issuer = this.#endpoints().issuer;
    this.clientId = credentials.clientId;
    this.environments = environmentsOf(cloud);
  }

  async exchange(grant: Grant, slice: TokenCache, context: ProviderContext): Promise<void> {
    context.signal?.throwIfAborted();
    try {
      await this.#exchangeOnce(grant, slice, context);
    } catch (error) {
      // Client authentication comes before anything is spent, so a rotated secret may be tried at once.
      const isRejected = TokenEndpointError.is(error) && error.error === 'invalid_client';
      if (!isRejected || !this.#authenticator.forget()) throw error;
      await this.#exchangeOnce(grant, slice, context);
    }
  }

  classify(refusal: Refusal): Classification {
    return classifyRefusal(refusal);
  }

  async authorizationUrl(request: AuthorizationRequest, context: ProviderContext): Promise<string> {
    const { clientCapabilities } = this.#options;
    const { authorize } = this.#endpoints(context.tenantId);
    const target = { authorizeEndpoint: authorize, clientId: this.clientId, scopes: context.scopes, clientCapabilities };
    return authorizationUrl(target, request);
  }

  async deviceAuthorization(context: ProviderContext): Promise<DeviceFlow> {
    const endpoints = this.#endpoints(context.tenantId);
    const claims = claimsWith(this.#options.clientCapabilities, context.claims);
    const sender = { clientId: this.clientId, endpoints, fetch: context.fetch, authentication: {}, signal: context.signal };
    return requestDeviceCode(sender, { scopes: context.scopes, claims, now: context.clock.now() });
  }

  logoutUrl(options: { readonly postLogoutRedirectUri?: string } = {}): string {
    const url = new URL(this.#endpoints().logout);
    if (options.postLogoutRedirectUri !== undefined)
      url.searchParams.set('post_logout_redirect_uri', options.postLogoutRedirectUri);
    return url.href;
  }

  async #exchangeOnce(grant: Grant, slice: TokenCache, context: ProviderContext): Promise<void> {
    const answer = await this.#answerTo(grant, slice, context);
    if (typeof answer.body.access_token !== 'string')
      throw new UnreadableAnswerError('The token endpoint answered without an access token.');
    const tenantId = context.tenantId ?? this.#options.tenantId;
    slice.add({
      response: answer.body,
      environment: this.environments[0] ?? '',
      clientId: this.clientId,
      scopes: context.scopes,
      grantType: grant.grantType,
      now: context.clock.now(),
      ...(answer.serverNow === undefined ? {} : { serverNow: answer.serverNow }),
      ...(isSharedTenant(tenantId) ? {} : { tenantId }),
      ...(grant.grantType === 'refresh_token' ? { homeAccountId: grant.homeAccountId } : {}),
      ...(grant.grantType === 'password' ? { username: grant.username } : {}),
      ...('assertion' in grant ? { userAssertionHash: userAssertionHash(grant.assertion) } : {}),
    });
  }

  async #answerTo(grant: Grant, slice: TokenCache, context: ProviderContext): Promise<Pick<TokenAnswer, 'body' | 'serverNow'>> {
    const { credentials, clientCapabilities } = this.#options;
    if (credentials.kind === 'managed-identity') return { body: await managedIdentityToken(credentials, context) };
    const { fetch, clock, scopes, claims, signal } = context;
    const clientId = this.clientId;
    const endpoints = this.#endpoints(context.tenantId);
    const authentication = await this.#authenticator.current({ tokenEndpoint: endpoints.token, clock, signal });
    signal?.throwIfAborted();
    if (grant.grantType === 'urn:ietf:params:oauth:grant-type:device_code')
      return redeemDeviceCode({ clientId, endpoints, fetch, authentication }, grant.deviceCode);
    const networkClient = new CapturingNetworkClient(fetch);
    const refreshToken = grant.grantType === 'refresh_token' ? refreshTokenOf(slice, grant.homeAccountId, clientId) : undefined;
    try {
      const client = { clientId, endpoints, authentication, networkClient, clientCapabilities };
      await sendGrant(grant, { scopes, claims, refreshToken }, client);
    } catch (error) {
      throw originalFailure(networkClient, error);
    }
    if (!networkClient.answer) throw new NotSentError('msal-node sent no request.');
    return networkClient.answer;
  }

  #endpoints(tenantId: string = this.#options.tenantId): Endpoints {
    return endpointsOf(this.#options.cloud, tenantId);
  }
}

function checkTenant(tenantId: string, flow: AuthFlowType, credentials: NormalisedCredentials): void {
  if (typeof tenantId !== 'string' || !/^[\w.-]+$/.test(tenantId))
    throw invalidArgument('tenantId must be a tenant id or a domain name such as "contoso.onmicrosoft.com".');
  if (!isSharedTenant(tenantId) || credentials.kind === 'managed-identity' || credentials.kind === 'access-token') return;
  if (flow === 'credentials' || (flow === 'password' && tenantId.toLowerCase() === 'common'))
    throw invalidArgument(`authFlowType "${flow}" needs the tenantId of one tenant; "${tenantId}" stands for many.`);
}

function refreshTokenOf(slice: TokenCache, homeAccountId: string, clientId: string): string {
  const stored = slice.getRefreshToken({ homeAccountId, clientId });
  if (!stored) throw new NotSentError('The account has no refresh token.');
  return stored.secret;
}

/**
 * What really happened, where msal-node reports its own error. Without a request it is our request that msal-node did not
 * like; after a good answer it is the answer.
 */
function originalFailure(client: CapturingNetworkClient, error: unknown): unknown {
  if (client.failure) return client.failure.error;
  if (NotSentError.is(error)) return error;
  const code = error instanceof Error && 'errorCode' in error ? String(error.errorCode) : 'unknown';
  if (!client.answer) return new NotSentError(`msal-node refused to send the request: ${code}.`);
  if (code === 'nonce_mismatch')
    return new StateMismatchError('The id token belongs to another sign-in: its nonce is not the one that was sent.');
  return new UnreadableAnswerError(`msal-node refused the answer of the token endpoint: ${code}.`);
}
