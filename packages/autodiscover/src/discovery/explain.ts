import type { TraceStep } from './trace.js';

const STEPS: Readonly<Record<string, string>> = {
  cache: 'The cache',
  tenant: 'Asking Microsoft which tenant owns the domain',
  'user-realm': 'Asking Microsoft how the domain signs in',
  v2: 'Autodiscover V2',
  probe: 'Looking for an Autodiscover server',
  soap: 'Asking for the settings (SOAP)',
  pox: 'Asking for the settings (POX)',
  'http-redirect': 'The plain-HTTP redirect',
  srv: 'The DNS SRV record',
  redirect: 'A redirect',
  address: 'Another address for the mailbox',
};

const OUTCOMES: Readonly<Record<string, string>> = {
  'no-record': 'there is none',
  'not-found': 'nothing is there',
  'no-tenant': 'no tenant owns this domain',
  unreachable: 'the host cannot be reached',
  'dns-failed': 'the host name does not resolve',
  'tls-failed': 'the TLS certificate is not valid for this host',
  timeout: 'no answer in time',
  refused: 'the server refused the credentials',
  'no-credentials': 'the server wants credentials, and none may be sent there',
  'scheme-not-offered': 'the server does not offer the chosen way of signing in',
  blocked: 'the target is outside the trust rules',
  'private-address': 'the host name leads into a private network',
  'not-autodiscover': 'the answer is not Autodiscover',
  'server-busy': 'the server is busy',
  'server-error': 'the server failed',
  'mailbox-not-found': 'the server knows no such mailbox',
  'too-large': 'the answer is too large',
};

const ADVICE: Readonly<Record<string, string>> = {
  NOT_FOUND: 'Compare the steps with https://testconnectivity.microsoft.com, or name the server with the option "endpoint".',
  MAILBOX_NOT_FOUND: 'Check the spelling of the address; a new mailbox takes a while to be known everywhere.',
  AUTH_FAILED:
    'Check user name, password or token, and that the chosen scheme is offered; password sign-in needs "allowBasic: true", and Exchange Online no longer takes passwords.',
  REDIRECT_BLOCKED: 'If the target is right, add its host to "trustedHosts", or allow it in "onRedirect".',
  INVALID_ADDRESS: 'Give a full e-mail address whose domain is a name of your own.',
  SERVER_BUSY: 'Try again later.',
  TIMEOUT: 'Raise "timeoutMs", or name the server with the option "endpoint".',
};

/** What a program can do about an error with this code. */
const adviceFor = (code: string): string | undefined => ADVICE[code.replace('TOKENRY_AUTODISCOVER_', '')];

/** The sentence that everybody asks for: why did all steps fail, and what now. */
export function explainTrace(
  message: string,
  code: string,
  trace: readonly TraceStep[],
  advice: string | undefined = adviceFor(code),
): string {
  const lines = trace.map((step, index) => `  ${index + 1}. ${sentence(step)}`);
  return [message, ...(lines.length > 0 ? ['What was tried:', ...lines] : []), ...(advice ? [`What to do: ${advice}`] : [])].join(
    '\n',
  );
}

function sentence({ step, url, outcome, detail, status, ms }: TraceStep): string {
  const where = url === undefined ? '' : ` at ${url}`;
  const code = status === undefined ? '' : `HTTP ${status}, `;
  const more = detail === undefined ? '' : ` (${detail})`;
  return `${STEPS[step] ?? step}${where}: ${code}${OUTCOMES[outcome] ?? outcome}${more}, ${ms} ms.`;
}
