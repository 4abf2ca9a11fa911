import { strictOptions } from './options.js';
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

/** @throws TypeError for a name that is no option, naming the nearest one. Copies nothing: this is on the hot path. */
export function checkAccessTokenOptions(options: AccessTokenOptions): void {
  for (const name in options) if (!NAMES.has(name)) strictOptions('getAccessToken', options, [...NAMES]);
}

/** Options that only choose which token: memory may answer. */
export function isPlain({ minimumLifetimeMs, forceRefresh, claims, signal }: AccessTokenOptions): boolean {
  return minimumLifetimeMs === undefined && !forceRefresh && claims === undefined && !signal?.aborted;
}
