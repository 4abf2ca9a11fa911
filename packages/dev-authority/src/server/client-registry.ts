import { createPublicKey } from 'node:crypto';
import type { AdapterPayload, JWK } from 'oidc-provider';
import type { DevClient, Settings, SigningAlgorithm } from '../options.js';
import { type Refusal, refusal } from './refusal.js';

/** How a request proves which client it comes from. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'assertion' };

/** What of a request decides how its client is seen. */
export interface ClientRequest {
  readonly credential: Credential;
  readonly redirectUri?: string | undefined;
}

const GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'password',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
];
const DEFAULT_ROLES = ['User.Read.All', 'Mail.ReadWrite', 'Mail.Send'];
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?([/?]|$)/;
const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** The applications: registered ones are held to their registration, all others are taken at their word. */
export class ClientRegistry {
  readonly #refuseUnknown: boolean;
  readonly #idTokenAlgorithm: SigningAlgorithm;
  readonly #clients = new Map<string, DevClient & { readonly jwks: readonly JWK[] }>();

  constructor({ clients, unknownClients, signingAlgorithm }: Pick<Settings, 'clients' | 'unknownClients' | 'signingAlgorithm'>) {
    this.#refuseUnknown = unknownClients === 'refuse';
    this.#idTokenAlgorithm = signingAlgorithm;
    for (const client of clients) this.register(client);
  }

  register(client: DevClient): void {
    const jwks = list(client.certificate).map((pem) => createPublicKey(pem).export({ format: 'jwk' }) as JWK);
    this.#clients.set(client.clientId, { ...client, jwks });
  }

  appRoles(clientId: string): readonly string[] {
    return this.#clients.get(clientId)?.appRoles ?? DEFAULT_ROLES;
  }

  /** Why this client gets nothing, in Entra ID's words. Assertions are verified later, by oidc-provider. */
  refusalOf(clientId: string, { credential }: ClientRequest): Refusal | undefined {
    const client = this.#clients.get(clientId);
    if (!client) return this.#refusalOfUnknown(clientId, credential);
    const [secrets, isConfidential] = [list(client.clientSecret), isConfidentialClient(client)];
    if (credential.kind === 'none' && isConfidential && client.allowPublicClient !== true)
      return refusal('invalid_client', 7000218, "The request body must contain 'client_assertion' or 'client_secret'.");
    if (credential.kind !== 'none' && !isConfidential)
      return refusal(
        'invalid_client',
        700025,
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
      );
    if (credential.kind === 'secret' && !secrets.includes(credential.secret))
      return refusal('invalid_client', 7000215, 'Invalid client secret provided.');
    return undefined;
  }

  #refusalOfUnknown(clientId: string, credential: Credential): Refusal | undefined {
    if (this.#refuseUnknown)
      return refusal('unauthorized_client', 700016, `Application with identifier '${clientId}' was not found in the directory.`);
    if (credential.kind === 'secret' && credential.secret.startsWith('wrong'))
      return refusal('invalid_client', 7000215, 'Invalid client secret provided.');
    if (credential.kind === 'assertion')
      return refusal(
        'invalid_client',
        700027,
        'The certificate is not registered: call registerClient({ clientId, certificate }).',
      );
    return undefined;
  }

  /** The client as oidc-provider shall see it for this request. */
  metadata(clientId: string, request: ClientRequest): AdapterPayload | undefined {
    const client = this.#clients.get(clientId);
    if (!client && this.#refuseUnknown) return undefined;
    const redirectUri = this.#acceptedRedirect(client, request.redirectUri);
    const native = redirectUri !== undefined && !/^https?:/.test(redirectUri);
    return {
      client_id: clientId,
      application_type: native ? 'native' : 'web',
      grant_types: GRANT_TYPES,
      response_types: ['code'],
      redirect_uris: [redirectUri ?? 'http://localhost'],
      id_token_signed_response_alg: this.#idTokenAlgorithm,
      ...authentication(request.credential, client?.jwks ?? []),
    };
  }

  #acceptedRedirect(client: DevClient | undefined, uri: string | undefined): string | undefined {
    if (uri === undefined) return client?.redirectUris?.[0];
    if (!client || LOOPBACK.test(uri) || client.redirectUris?.includes(uri)) return uri;
    return client.redirectUris?.[0];
  }
}

const isConfidentialClient = (client: DevClient) => client.clientSecret !== undefined || client.certificate !== undefined;

function authentication(credential: Credential, keys: readonly JWK[]): Partial<AdapterPayload> {
  if (credential.kind === 'secret') return { token_endpoint_auth_method: 'client_secret_post', client_secret: credential.secret };
  if (credential.kind === 'assertion' && keys.length > 0)
    return { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } };
  return { token_endpoint_auth_method: 'none' };
}
