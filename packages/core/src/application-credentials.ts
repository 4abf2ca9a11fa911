import { invalidArgument, strictOptions } from './options.js';

/** A value, or where to get it: rotating secrets and certificates need no restart. */
export type Source<T> = T | ((options: { readonly signal?: AbortSignal }) => Promise<T>);

/** A certificate and its private key, both as PEM. */
export interface Certificate {
  /** PEM, PKCS#8 or PKCS#1; may be encrypted. */
  readonly privateKey: string;
  /** PEM; the first certificate is the application's, others are ignored. */
  readonly certificate: string;
  /** Opens an encrypted `privateKey`. */
  readonly passphrase?: string;
}

/** A PKCS#12 container (`.pfx`, `.p12`) with a certificate and its private key. */
export interface Pfx {
  readonly pfx: Uint8Array;
  readonly passphrase?: string;
}

/** Returns a fresh client assertion (RFC 7523), for instance of a workload identity federation. */
export type ClientAssertionCallback = (options: {
  readonly tokenEndpoint: string;
  readonly signal?: AbortSignal;
}) => Promise<string>;

/** Who the program is. The tuple forms are python-o365's. */
export type ApplicationCredentials =
  | readonly [clientId: string]
  | readonly [clientId: string, clientSecret: string]
  | { readonly clientId: string }
  | { readonly clientId: string; readonly clientSecret: Source<string> }
  | { readonly clientId: string; readonly clientCertificate: Source<Certificate | Pfx> }
  | { readonly clientId: string; readonly clientAssertion: ClientAssertionCallback }
  | { readonly managedIdentity: true | { readonly clientId: string } }
  | { readonly accessToken: AccessTokenCallback };

/** Bring your own token: called whenever one is needed. */
export type AccessTokenCallback = (options: {
  readonly scopes?: string | readonly string[];
  readonly tenantId?: string;
  readonly minimumLifetimeMs?: number;
  readonly forceRefresh?: boolean;
  readonly claims?: string;
  readonly signal?: AbortSignal;
}) => Promise<{ readonly token: string; readonly expiresAt: number }>;

/** How a program gets its tokens; the names are python-o365's. */
export type AuthFlowType = 'authorization' | 'public' | 'credentials' | 'password';

/** What the credentials rest on. */
export type CredentialKind = 'public' | 'secret' | 'certificate' | 'assertion' | 'managed-identity' | 'access-token';

type Proof =
  | { readonly kind: 'public' }
  | { readonly kind: 'secret'; readonly source: Source<string> }
  | { readonly kind: 'certificate'; readonly source: Source<Certificate | Pfx> }
  | { readonly kind: 'assertion'; readonly callback: ClientAssertionCallback }
  | { readonly kind: 'managed-identity'; readonly userAssigned: boolean }
  | { readonly kind: 'access-token'; readonly callback: AccessTokenCallback };

/** Checked credentials in one form. The secret part is reachable by `proof()` only: never in `inspect` or JSON. */
export class NormalisedCredentials {
  readonly clientId: string;
  readonly kind: CredentialKind;
  readonly #proof: Proof;

  constructor(clientId: string, proof: Proof) {
    this.clientId = clientId;
    this.kind = proof.kind;
    this.#proof = Object.freeze(proof);
    Object.freeze(this);
  }

  /** The secret, certificate, callback or nothing behind these credentials. */
  proof(): Proof {
    return this.#proof;
  }
}

/** Stands for the identity that Azure assigned to this machine; has no client id of its own. */
export const SYSTEM_ASSIGNED_IDENTITY = 'system_assigned_managed_identity';

const NAMES = ['clientId', 'clientSecret', 'clientCertificate', 'clientAssertion', 'managedIdentity', 'accessToken'];
const PROOFS = NAMES.slice(1);

/**
 * Checks application credentials and returns them in one form.
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`, `TOKENRY_UNKNOWN_OPTION`) that says what is wrong, never the secret.
 */
export function normaliseCredentials(credentials: ApplicationCredentials | NormalisedCredentials): NormalisedCredentials {
  if (credentials instanceof NormalisedCredentials) return credentials;
  if (typeof credentials === 'string') throw invalidArgument('Credentials: write [clientId] instead of a bare string.');
  if (Array.isArray(credentials)) return fromTuple(credentials);
  const named = strictOptions<Record<string, unknown>>('Credentials', credentials as Record<string, unknown>, NAMES);
  const given = PROOFS.filter((name) => named[name] !== undefined);
  if (given.length > 1) throw invalidArgument(`Credentials: give one of ${given.join(', ')}, not several.`);
  const [name] = given;
  if (name === 'managedIdentity') return managedIdentity(named);
  if (name === 'accessToken')
    return new NormalisedCredentials('access-token', { kind: 'access-token', callback: callback(named, name) });
  return new NormalisedCredentials(clientId(named.clientId), proofOf(named, name));
}

/** The flow these credentials are meant for, after checking that a chosen flow can work with them. */
export function flowTypeOf(credentials: NormalisedCredentials, authFlowType?: AuthFlowType): AuthFlowType {
  const { kind } = credentials;
  if (authFlowType === undefined) return DEFAULT_FLOW[kind];
  if (FLOWS_BY_KIND[kind].includes(checkedFlowType(authFlowType))) return authFlowType;
  throw invalidArgument(flowMismatch(kind, authFlowType));
}

/** Returns `authFlowType` if there is such a flow. */
export function checkedFlowType(authFlowType: AuthFlowType): AuthFlowType {
  if (['authorization', 'public', 'credentials', 'password'].includes(authFlowType)) return authFlowType;
  throw invalidArgument(
    `authFlowType: unknown flow "${String(authFlowType)}"; use authorization, public, credentials or password.`,
  );
}

const DEFAULT_FLOW: Readonly<Record<CredentialKind, AuthFlowType>> = {
  public: 'public',
  secret: 'authorization',
  certificate: 'credentials',
  assertion: 'credentials',
  'managed-identity': 'credentials',
  'access-token': 'credentials',
};

const FLOWS_BY_KIND: Readonly<Record<CredentialKind, readonly AuthFlowType[]>> = {
  public: ['public', 'password'],
  secret: ['authorization', 'credentials'],
  certificate: ['authorization', 'credentials'],
  assertion: ['authorization', 'credentials'],
  'managed-identity': ['credentials'],
  'access-token': ['credentials'],
};

function flowMismatch(kind: CredentialKind, flow: AuthFlowType): string {
  if (kind === 'public')
    return `authFlowType "${flow}" needs a client secret, certificate or assertion; these credentials have none. Use "public" for an application without one.`;
  if (kind === 'managed-identity' || kind === 'access-token')
    return `authFlowType "${flow}" does not fit a ${kind.replace('-', ' ')}; leave authFlowType out.`;
  return `authFlowType "${flow}" is for public clients: give the client id alone, without a ${kind}.`;
}

function fromTuple(tuple: readonly unknown[]): NormalisedCredentials {
  if (tuple.length < 1 || tuple.length > 2)
    throw invalidArgument('Credentials: a tuple is [clientId] or [clientId, clientSecret].');
  const id = clientId(tuple[0]);
  if (tuple.length === 1) return new NormalisedCredentials(id, { kind: 'public' });
  const secret = tuple[1];
  if (typeof secret === 'object' && secret !== null)
    throw invalidArgument('Credentials: write a certificate as { clientId, clientCertificate: { privateKey, certificate } }.');
  return new NormalisedCredentials(id, { kind: 'secret', source: checkedSecret(secret) });
}

function proofOf(named: Readonly<Record<string, unknown>>, name: string | undefined): Proof {
  const value = name === undefined ? undefined : named[name];
  switch (name) {
    case 'clientSecret':
      return { kind: 'secret', source: typeof value === 'function' ? (value as Source<string>) : checkedSecret(value) };
    case 'clientCertificate':
      return {
        kind: 'certificate',
        source: typeof value === 'function' ? (value as Source<Certificate>) : checkedCertificate(value),
      };
    case 'clientAssertion':
      return { kind: 'assertion', callback: callback(named, name) };
    default:
      if ('clientSecret' in named) checkedSecret(named.clientSecret);
      return { kind: 'public' };
  }
}

function managedIdentity(named: Readonly<Record<string, unknown>>): NormalisedCredentials {
  if (named.clientId !== undefined)
    throw invalidArgument('Credentials: write a user-assigned identity as { managedIdentity: { clientId } }.');
  const { managedIdentity: identity } = named;
  if (identity === true)
    return new NormalisedCredentials(SYSTEM_ASSIGNED_IDENTITY, { kind: 'managed-identity', userAssigned: false });
  const own = strictOptions<Record<string, unknown>>('managedIdentity', identity as Record<string, unknown>, ['clientId']);
  return new NormalisedCredentials(clientId(own.clientId), { kind: 'managed-identity', userAssigned: true });
}

function clientId(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw invalidArgument('Credentials: clientId must be the application (client) id of the app registration.');
  return value.trim();
}

function callback<T>(named: Readonly<Record<string, unknown>>, name: string): T {
  if (typeof named[name] !== 'function') throw invalidArgument(`Credentials: ${name} must be a function.`);
  return named[name] as T;
}

/** Returns `value` if it can be a client secret; also used on what a secret source answers. */
export function checkedSecret(value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument('Credentials: clientSecret must be a string or an async function.');
  if (value.trim() === '')
    throw invalidArgument(
      'Credentials: clientSecret is empty; leave it out for a public client, or check where it is read from.',
    );
  return value;
}

/** Returns `value` if it has the shape of a certificate; also used on what a certificate source answers. */
export function checkedCertificate(value: unknown): Certificate | Pfx {
  if (typeof value === 'object' && value !== null) {
    if ('pfx' in value) return checkedPfx(value);
    const { privateKey, certificate } = value as Partial<Record<keyof Certificate, unknown>>;
    if (isPem(privateKey, 'PRIVATE KEY') && isPem(certificate, 'CERTIFICATE')) return value as Certificate;
  }
  throw invalidArgument('Credentials: clientCertificate needs { privateKey, certificate } as PEM text, or { pfx } as bytes.');
}

function checkedPfx(value: object): Pfx {
  const { pfx } = value as Partial<Pfx>;
  if (pfx instanceof Uint8Array && pfx.length > 0) return value as Pfx;
  throw invalidArgument('Credentials: pfx must be the bytes of a PKCS#12 file.');
}

function isPem(value: unknown, label: string): boolean {
  return typeof value === 'string' && value.includes('-----BEGIN ') && value.includes(`${label}-----`);
}
