import type { Finding } from './finding.js';

/** How the visit to one Autodiscover server ended. */
export type VisitOutcome =
  | { readonly kind: 'found'; readonly finding: Finding }
  /** The mailbox has another address. */
  | { readonly kind: 'redirect-address'; readonly address: string; readonly from: string }
  | { readonly kind: 'busy'; readonly retryAfterMs?: number | undefined }
  | ({ readonly kind: 'failed'; readonly reason: FailureReason } & FailureDetails);

export interface FailureDetails {
  readonly serverCode?: string;
  readonly message?: string;
  /** The host that wanted credentials. */
  readonly host?: string;
  /** How long a busy server wants to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/** Why it led nowhere; these decide which error the whole discovery ends with. */
export type FailureReason =
  | 'nothing'
  | 'refused'
  | 'no-credentials'
  | 'mailbox-not-found'
  | 'not-federated'
  | 'server-error'
  | 'blocked'
  | 'too-many-redirects'
  | 'server-busy';

export function failed(reason: FailureReason, more: FailureDetails = {}): VisitOutcome {
  return { kind: 'failed', reason, ...more };
}
