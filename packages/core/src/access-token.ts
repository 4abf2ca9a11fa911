import { checkClaims } from './claims-challenge.js';
import { invalidArgument, outOfRange, strictOptions } from './options.js';
import type { Scopes } from './protocol/scopes.js';
import type { AccountInfo } from './tokens/schema.js';

/** What to ask an access token for. */
export interface AccessTokenOptions {
  /** Helper names, short or full scopes. @default the account's scopes */
  readonly scopes?: Scopes;
  readonly tenantId?: string;
  /** Wait for a refresh unless the token is good for this long. Milliseconds. */
  readonly minimumLifetimeMs?: number;
  /** Refresh even if the stored token is still good. */
  readonly forceRefresh?: boolean;
  /** Claims challenge of an API, as JSON. */
  readonly claims?: string;
  /** Ends this caller's wait, never a refresh that others share. */
  readonly signal?: AbortSignal;
}

/** An access token and what is known about it. */
export interface AccessTokenResult {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Epoch milliseconds from which the server would like it refreshed. */
  readonly refreshAt?: number;
  readonly scopes: readonly string[];
  /** Absent for an application's own tokens. */
  readonly account?: AccountInfo;
}

const NAMES: ReadonlySet<string> = new Set<keyof AccessTokenOptions>([
  'scopes',
  'tenantId',
  'minimumLifetimeMs',
  'forceRefresh',
  'claims',
  'signal',
]);

/**
 * Copies nothing: this is on the hot path.
 * @throws TypeError for a name that is no option, naming the nearest one; TypeError or RangeError for a value that means nothing.
 */
export function checkAccessTokenOptions(options: AccessTokenOptions): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('getAccessToken: options must be an object.');
  for (const name in options) if (!NAMES.has(name)) strictOptions('getAccessToken', options, [...NAMES]);
  const { tenantId, minimumLifetimeMs, claims } = options;
  // An empty tenant, read from a setting that is missing, would otherwise be answered with the home tenant's token.
  if (tenantId !== undefined && (typeof tenantId !== 'string' || tenantId === ''))
    throw invalidArgument('tenantId must be a tenant id or a domain name such as "contoso.onmicrosoft.com".');
  if (minimumLifetimeMs !== undefined && !(Number.isFinite(minimumLifetimeMs) && minimumLifetimeMs >= 0))
    throw outOfRange('minimumLifetimeMs must be a number of milliseconds, 0 or more.');
  checkClaims(claims);
}

/** Options that only choose which token: memory may answer. */
export function isPlain({ minimumLifetimeMs, forceRefresh, claims, signal }: AccessTokenOptions): boolean {
  return minimumLifetimeMs === undefined && !forceRefresh && claims === undefined && !signal?.aborted;
}
