import { AutodiscoverError, type AutodiscoverErrorOptions } from '../errors.js';
import { serverText } from './server-text.js';
import type { TraceStep } from './trace.js';
import type { FailureReason, VisitOutcome } from './visit-outcome.js';

type Failed = Extract<VisitOutcome, { kind: 'failed' }>;

const MESSAGES: Readonly<Record<FailureReason, readonly [AutodiscoverErrorOptions['code'], string]>> = {
  'mailbox-not-found': ['MAILBOX_NOT_FOUND', 'The server knows no such mailbox.'],
  refused: ['AUTH_FAILED', 'Every Autodiscover server that was reached refused the credentials.'],
  'not-federated': ['NOT_FEDERATED', 'The organisation is not federated with the one that answered.'],
  'server-busy': ['SERVER_BUSY', 'The Autodiscover server is busy.'],
  blocked: ['REDIRECT_BLOCKED', 'The way to the mailbox leads to a host outside the trust rules.'],
  'too-many-redirects': ['TOO_MANY_REDIRECTS', 'More than ten redirects led nowhere.'],
  'server-error': ['SERVER_ERROR', 'The Autodiscover server failed.'],
  'no-credentials': ['NOT_FOUND', 'The Autodiscover servers want credentials, and none were given that may be sent there.'],
  nothing: ['NOT_FOUND', 'No Autodiscover server was found for this address.'],
};
/** What says most about the mailbox comes first; `refused` only when no server did anything but refuse. */
const ORDER: readonly FailureReason[] = [
  'mailbox-not-found',
  'not-federated',
  'server-busy',
  'server-error',
  'refused',
  'blocked',
  'too-many-redirects',
  'no-credentials',
  'nothing',
];

/** The error that a whole discovery ends with, out of how its visits ended. */
export function failureOf(visits: readonly Failed[], trace: readonly TraceStep[]): AutodiscoverError {
  const reason = ORDER.find((candidate) => visits.some((visit) => visit.reason === candidate)) ?? 'nothing';
  const visit = visits.find((candidate) => candidate.reason === reason);
  const [code, message] = MESSAGES[reason];
  const said = visit?.serverCode ? ` It said ${serverText(visit.serverCode.slice(0, 60))}.` : '';
  return new AutodiscoverError(`${message}${said}`, {
    code,
    trace,
    serverCode: visit?.serverCode,
    retryAfterMs: visit?.retryAfterMs,
  });
}
