import { checkAccountOptionValues } from './account-option-values.js';
import type { AuthFlowType } from './application-credentials.js';
import { defaultLeaseTiming, type LeaseTiming } from './backend/lease.js';
import type { TokenBackend } from './backend/token-backend.js';
import type { Clock } from './clock.js';
import type { Cloud, CloudName } from './entra/cloud.js';
import type { JsonReplacer } from './http/json-body.js';
import { RETRY_OPTIONS, type RetryPolicy } from './http/retry.js';
import { TRANSPORT_OPTIONS, type TransportOptions } from './http/transport.js';
import { invalidArgument, outOfRange, strictOptions } from './options.js';
import type { Protocol } from './protocol/protocol.js';
import type { Scopes } from './protocol/scopes.js';
import type { TokenProvider } from './provider/token-provider.js';
import { defaultWindows, type RefreshWindows } from './refresh/policy.js';

/** How an account signs in, stores, refreshes and makes requests. */
export interface AccountOptions extends TransportOptions, RetryPolicy, Partial<RefreshWindows> {
  /** Where tokens are kept. Required: Tokenry never guesses where secrets go. */
  readonly tokenBackend: TokenBackend;
  /** Name of the record. @default the backend's own default, such as `o365_token.txt` */
  readonly tokenKey?: string;
  /** Which account of the record; needed where it holds several. */
  readonly homeAccountId?: string;
  /** Which account of the record, by user name; for the `password` flow: who signs in. */
  readonly username?: string;
  /** For the `password` flow only. */
  readonly password?: string;
  /** Helper names, short or full scopes: the default for sign-in and for tokens. */
  readonly scopes?: Scopes;
  /** @default 'authorization' with a secret, 'public' with a client id alone, 'credentials' otherwise */
  readonly authFlowType?: AuthFlowType;
  /** Tenant id or domain; `common`, `organizations` or `consumers` for people of any. @default 'common' */
  readonly tenantId?: string;
  /** Sets authority, Graph host and scope prefix together. @default 'global' */
  readonly cloud?: CloudName | Cloud;
  /** Another authorization server than Entra ID. */
  readonly provider?: TokenProvider;
  /** @default Microsoft Graph v1.0 of the cloud */
  readonly protocol?: Protocol;
  /** Resource for `resourceUrl()`: `me`, `user:ada@contoso.com`, `group:…`, `site:…`. @default the protocol's */
  readonly mainResource?: string;
  /** Where the login page sends people back to, unless a sign-in says otherwise. */
  readonly redirectUri?: string;
  /** 32-byte keys that seal sign-in flows, the first for new ones. Without: flows must be kept on the server. */
  readonly flowKeys?: readonly Uint8Array[];
  /** `['cp1']`: this program answers claims challenges (continuous access evaluation). @default [] */
  readonly clientCapabilities?: readonly string[];
  /** Refresh in the background while a token is still good; `false` on platforms that freeze idle processes. @default true */
  readonly backgroundRefresh?: boolean;
  /** Refresh although the lease store is down: only where old refresh tokens stay valid, as at Entra ID. @default false */
  readonly refreshWithoutLease?: boolean;
  /** How leases on refresh tokens are timed. */
  readonly lease?: Partial<LeaseTiming>;
  /** How long a refresh that failed is not repeated in the background. Milliseconds. @default 30_000 */
  readonly coolDownMs?: number;
  /** Throw `HttpError` for a status of 400 or more. @default true */
  readonly raiseHttpErrors?: boolean;
  /** Added to every request of `connection` that does not set them. `Prefer` keeps both. */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Second argument of `JSON.stringify` for request bodies. */
  readonly jsonReplacer?: JsonReplacer;
  /** More hosts that may receive the token: `contoso.sharepoint.com`, `*.sharepoint.com`. */
  readonly allowedHosts?: readonly string[];
  /** Replaces the machine's clocks, for tests and simulations. */
  readonly clock?: Clock;
}

const OWN_OPTIONS = [
  'tokenBackend',
  'tokenKey',
  'homeAccountId',
  'username',
  'password',
  'scopes',
  'authFlowType',
  'tenantId',
  'cloud',
  'provider',
  'protocol',
  'mainResource',
  'redirectUri',
  'flowKeys',
  'clientCapabilities',
  'backgroundRefresh',
  'refreshWithoutLease',
  'lease',
  'coolDownMs',
  'raiseHttpErrors',
  'defaultHeaders',
  'jsonReplacer',
  'allowedHosts',
  'clock',
  'softWindowMs',
  'hardWindowMs',
] as const satisfies readonly (keyof AccountOptions)[];

const BACKEND_METHODS = ['loadToken', 'updateToken', 'saveToken', 'shouldRefreshToken'] as const;

/** A frozen copy of checked options. @throws TypeError or RangeError naming what is wrong and the nearest valid name. */
export function checkAccountOptions(options: AccountOptions): Readonly<AccountOptions> {
  const checked = strictOptions('Account', options, [...OWN_OPTIONS, ...TRANSPORT_OPTIONS, ...RETRY_OPTIONS]);
  checkBackend(checked.tokenBackend);
  checkAccountOptionValues(checked);
  for (const name of ['softWindowMs', 'hardWindowMs', 'coolDownMs'] as const) checkMs(name, checked[name]);
  const { softWindowMs, hardWindowMs } = windowsOf(checked);
  if (hardWindowMs > softWindowMs) throw outOfRange('Account: hardWindowMs must not be longer than softWindowMs.');
  return checked;
}

/** The refresh windows of an account. */
export function windowsOf({ softWindowMs, hardWindowMs }: Partial<RefreshWindows>): RefreshWindows {
  const soft = softWindowMs ?? defaultWindows.softWindowMs;
  return { softWindowMs: soft, hardWindowMs: hardWindowMs ?? Math.min(defaultWindows.hardWindowMs, soft) };
}

/** The lease timing of an account. @throws RangeError when a lease would end before it is renewed. */
export function leaseTimingOf(lease: Partial<LeaseTiming> | undefined): LeaseTiming {
  const given = strictOptions('Account lease', lease, ['ttlMs', 'renewEveryMs', 'waitMs']);
  const ttlMs = given.ttlMs ?? defaultLeaseTiming.ttlMs;
  const timing = {
    ttlMs,
    renewEveryMs: given.renewEveryMs ?? Math.min(defaultLeaseTiming.renewEveryMs, Math.floor(ttlMs / 3)),
    waitMs: given.waitMs ?? Math.max(defaultLeaseTiming.waitMs, Math.ceil(ttlMs * 1.5)),
  };
  for (const [name, value] of Object.entries(timing)) checkMs(`lease.${name}`, value);
  if (timing.renewEveryMs >= timing.ttlMs) throw outOfRange('Account: lease.renewEveryMs must be shorter than lease.ttlMs.');
  return Object.freeze(timing);
}

function checkBackend(backend: unknown): void {
  const missing = BACKEND_METHODS.find((name) => typeof (backend as Record<string, unknown> | undefined)?.[name] !== 'function');
  if (missing !== undefined)
    throw invalidArgument(
      'Account: tokenBackend must be a token backend, such as new FileSystemTokenBackend() of @tokenry/filesystem. ' +
        'There is no default: choose where tokens are kept.',
    );
}

function checkMs(name: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value >= 0))
    throw outOfRange(`Account: ${name} must be a number of milliseconds, 0 or more.`);
}
