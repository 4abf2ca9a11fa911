import type { AccountOptions, Cloud } from '@tokenry/core';
import { type Clock, strictOptions, systemClock } from '@tokenry/core/backend';
import { parseMailAddress, parseMailDomain } from '../address/mail-address.js';
import { clientFor } from '../discovery/client-registry.js';
import { withDeadline } from '../discovery/deadline.js';
import { NETWORK_OPTIONS, type NetworkOptions } from '../discovery/network-options.js';
import { Session } from '../discovery/session.js';
import { Trace } from '../discovery/trace.js';
import { AutodiscoverError } from '../errors.js';
import { TrustPolicy } from '../trust/trust-policy.js';
import { type CloudName, resolveCloud, toCoreCloud } from './clouds.js';
import type { InstanceMetadata } from './instance-discovery.js';
import { checkAuthority, cloudOfTenant, lookUpTenant, type TenantInfo } from './tenant-lookup.js';

export interface TenantOptions extends NetworkOptions {
  /** Asks this cloud only. */
  readonly cloud?: CloudName | Cloud | undefined;
  /** Also asks how the domain signs in (managed, federated). @default true */
  readonly userRealm?: boolean | undefined;
  /** Deadline for everything, in milliseconds. @default 10000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

const NAMES = ['cloud', 'userRealm', 'timeoutMs', 'signal', 'clock', ...NETWORK_OPTIONS];

/**
 * The Microsoft 365 tenant and cloud that own a mail domain; `undefined` when no cloud knows the domain. Asks Microsoft's
 * sign-in services without any credential or user name.
 * @throws AutodiscoverError `INVALID_ADDRESS`, `TIMEOUT`, or `SERVER_ERROR` when no sign-in service could be asked
 */
export async function discoverTenant(domain: string, options: TenantOptions = {}): Promise<TenantInfo | undefined> {
  const checked = strictOptions('discoverTenant', options, NAMES);
  const name = parseMailDomain(domain);
  const cloud = checked.cloud === undefined ? undefined : resolveCloud(checked.cloud);
  return inSession(checked, async (session) => {
    const tenant = await lookUpTenant(session, name, { cloud, userRealm: checked.userRealm ?? true });
    const answered = session.trace.steps.some(({ outcome }) => outcome === 'ok' || outcome === 'no-tenant');
    if (!answered)
      throw new AutodiscoverError('No sign-in service of Microsoft could be asked.', {
        code: 'SERVER_ERROR',
        trace: session.trace.steps,
      });
    return tenant;
  });
}

/**
 * Whether Microsoft knows a sign-in host, and its other names. Ask before trusting an authority that a server named.
 * @throws AutodiscoverError `UNKNOWN_AUTHORITY`
 */
export async function discoverInstance(
  host: string,
  options: Omit<TenantOptions, 'cloud' | 'userRealm'> = {},
): Promise<InstanceMetadata> {
  const checked = strictOptions('discoverInstance', options, NAMES);
  const name = parseMailDomain(host);
  return inSession(checked, (session) => checkAuthority(session, name));
}

/**
 * Options for an `Account` of whoever owns this address: its cloud and tenant.
 * @throws AutodiscoverError `NOT_FOUND` when no Microsoft cloud knows the address's domain
 *
 * @example
 * ```ts
 * const account = new Account(['client-id'], { ...(await accountOptionsFor('ada@contoso.example')), tokenBackend });
 * ```
 */
export async function accountOptionsFor(
  address: string,
  options: TenantOptions = {},
): Promise<Pick<AccountOptions, 'cloud' | 'tenantId' | 'protocol'>> {
  const { domain } = parseMailAddress(address);
  const tenant = await discoverTenant(domain, { ...options, userRealm: false });
  if (!tenant) throw new AutodiscoverError(`No Microsoft 365 tenant owns "${domain}".`, { code: 'NOT_FOUND' });
  const cloud = options.cloud === undefined ? cloudOfTenant(tenant) : resolveCloud(options.cloud);
  return { cloud: toCoreCloud(cloud), tenantId: tenant.tenantId };
}

function inSession<T>(options: Readonly<TenantOptions>, work: (session: Session) => Promise<T>): Promise<T> {
  const { timeoutMs = 10_000, signal, clock = systemClock } = options;
  const [client, trace] = [clientFor(options), new Trace(clock)];
  return withDeadline({ timeoutMs, signal, client, trace }, (ends) =>
    work(
      new Session({
        client,
        policy: new TrustPolicy({}),
        trace,
        clock,
        signal: ends,
        stepTimeoutMs: timeoutMs,
        scheme: undefined,
      }),
    ),
  );
}
