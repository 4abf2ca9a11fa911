import type { MailAddress } from '../address/mail-address.js';
import { CLOUDS, type MicrosoftCloud } from '../cloud/clouds.js';
import { cloudOfTenant, lookUpTenant, type TenantInfo } from '../cloud/tenant-lookup.js';
import type { Finding } from './finding.js';
import type { Session } from './session.js';
import { findByV2 } from './v2-exchange.js';

export interface AnonymousAnswer {
  readonly tenant?: TenantInfo | undefined;
  readonly finding?: Finding | undefined;
  /** A server pointed outside the trust rules. */
  readonly blocked: boolean;
}

/**
 * What can be learnt without a credential: who owns the domain, and where the mailbox's EWS is. The organisation's own
 * server goes first: in a hybrid it knows which mailboxes are in the cloud. Microsoft is told the address only when the
 * domain has a tenant.
 */
export async function anonymousPhase(
  session: Session,
  mailbox: MailAddress,
  options: {
    readonly cloud?: MicrosoftCloud | undefined;
    readonly askMicrosoft: boolean;
    readonly tenant?: TenantInfo | undefined;
  },
): Promise<AnonymousAnswer> {
  const { cloud, askMicrosoft } = options;
  const [tenant, own] = await Promise.all([
    options.tenant ?? (askMicrosoft ? lookUpTenant(session, mailbox.domain, { cloud, userRealm: false }) : undefined),
    findByV2(session, `autodiscover.${mailbox.domain}`, mailbox),
  ]);
  if (own && own !== 'blocked') return { tenant, finding: own, blocked: false };
  const exchange = tenant && exchangeHostOf(tenant, cloud);
  const online = exchange === undefined || !askMicrosoft ? undefined : await findByV2(session, exchange, mailbox);
  return { tenant, finding: online === 'blocked' ? undefined : online, blocked: own === 'blocked' || online === 'blocked' };
}

/** Where the tenant's Exchange Online is; a cloud that is not in the table has no known host. */
function exchangeHostOf(tenant: TenantInfo, cloud: MicrosoftCloud | undefined): string | undefined {
  if (cloud) return cloud.exchangeHost;
  return tenant.cloud in CLOUDS ? cloudOfTenant(tenant).exchangeHost : undefined;
}
