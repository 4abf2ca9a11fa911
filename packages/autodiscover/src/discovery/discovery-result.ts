import type { ServerVersion } from '../soap/get-user-settings-response.js';
import type { UserSettings } from '../soap/user-settings.js';
import type { MailServer, ServiceUrls } from './finding.js';
import type { TraceStep } from './trace.js';

export type MailboxLocation = 'exchange-online' | 'on-premises' | 'unknown';

/** A service that ends, with what comes after it. */
export interface Deprecation {
  readonly service: 'ews';
  /** ISO date from which tenants are blocked step by step. */
  readonly blockedFrom: string;
  /** ISO date after which it is gone for everybody. */
  readonly endsOn: string;
  readonly replacement: string;
  readonly message: string;
}

export interface EwsService extends ServiceUrls {
  /** Versions of the EWS schema that the server supports, as it lists them. */
  readonly schemas?: readonly string[];
  /**
   * A `fetch` for these URLs: signed in by the chosen scheme, with the impersonation headers of the access type. A request
   * to another host is a TypeError; without a scheme requests go out anonymously.
   */
  readonly fetch: typeof globalThis.fetch;
}

/** Where a mailbox is and how to reach it. */
export interface DiscoveryResult {
  /** The mailbox's own address, as its server writes it. */
  readonly address: string;
  /** Addresses that led here, the given one first; empty when it was the right one at once. */
  readonly redirectedFrom: readonly string[];
  readonly location: MailboxLocation;
  /** Name of the Microsoft cloud that owns the domain: `global`, `usgov`, `usgov-dod`, `china`. */
  readonly cloud?: string;
  /** Tenant that owns the domain. An on-premises mailbox can have one too. */
  readonly tenantId?: string;
  readonly services: {
    /** Preferred for Exchange Online. Absent for mailboxes that Graph does not reach. */
    readonly graph?: { readonly url: string };
    readonly ews?: EwsService;
    readonly activeSync?: { readonly url: string };
    readonly owa?: { readonly externalUrls: readonly string[]; readonly internalUrls: readonly string[] };
    readonly mapi?: { readonly mailStore?: ServiceUrls; readonly addressBook?: ServiceUrls };
    readonly imap?: readonly MailServer[];
    readonly pop3?: readonly MailServer[];
    readonly smtp?: readonly MailServer[];
  };
  /** A server described the mailbox itself, by SOAP or POX. V2 answers alone prove nothing of the kind. */
  readonly mailboxVerified: boolean;
  /** What the server said in full; absent when only anonymous services were asked. */
  readonly settings?: UserSettings;
  /** Settings that the server could not give. */
  readonly settingErrors: readonly { readonly setting: string; readonly code: string; readonly message: string }[];
  /** The Autodiscover address that answered. */
  readonly endpoint: { readonly url: string; readonly kind: 'soap' | 'pox' | 'v2' };
  readonly serverVersion?: ServerVersion;
  /** Ways of signing in that the server offered. */
  readonly authSchemes: readonly string[];
  readonly source: 'network' | 'memory' | 'store' | 'stale';
  readonly deprecations: readonly Deprecation[];
  /** Every step, with its URL, outcome and time. Mailbox names are left out of URLs; credentials are never in it. */
  readonly trace: readonly TraceStep[];
}

/** Sources: Microsoft message centre MC1227454 and the Exchange Team's posts. Exchange Server keeps EWS. */
export const EWS_ONLINE_DEPRECATION: Deprecation = Object.freeze({
  service: 'ews',
  blockedFrom: '2026-10-01',
  endsOn: '2027-04-01',
  replacement: 'graph',
  message:
    'Exchange Online blocks EWS from 2026-10-01 for applications that the tenant has not allowed, and ends it on 2027-04-01. Use Microsoft Graph.',
});

export function graphUrl({ graphHost }: { readonly graphHost: string }): string {
  return `https://${graphHost}/v1.0`;
}
