import type { DiscoveryResult } from '../discovery/discovery-result.js';
import type { TraceStep } from '../discovery/trace.js';

/** The result as a person reads it. */
export function report(result: DiscoveryResult): string {
  const { services, settings } = result;
  const rows: [string, string | undefined][] = [
    ['Address', result.address],
    ['Redirected from', result.redirectedFrom.join(', ')],
    ['Mailbox', `${result.location}${result.mailboxVerified ? '' : ' (not verified: nobody signed in)'}`],
    ['Cloud', result.cloud],
    ['Tenant', result.tenantId],
    ['Graph', services.graph?.url],
    ['EWS', services.ews?.externalUrl],
    ['EWS (inside)', services.ews?.internalUrl],
    ['ActiveSync', services.activeSync?.url],
    ['OWA', services.owa?.externalUrls.join(', ')],
    ['MAPI', services.mapi?.mailStore?.externalUrl],
    ['IMAP', hosts(services.imap)],
    ['POP3', hosts(services.pop3)],
    ['SMTP', hosts(services.smtp)],
    ['Name', settings?.known.UserDisplayName],
    ['Signs in by', result.authSchemes.join(', ')],
    ['Found by', `${result.endpoint.kind} at ${result.endpoint.url}`],
  ];
  const lines = rows.filter(([, value]) => value).map(([name, value]) => `${name.padEnd(16)}${clean(value ?? '')}`);
  const ends = result.deprecations.map(({ message }) => `Note: ${message}`);
  return [...lines, ...ends, '', 'Steps', ...traceLines(result.trace), ''].join('\n');
}

function hosts(servers: DiscoveryResult['services']['imap']): string | undefined {
  return servers
    ?.map(({ host, port, encryption }) => `${host}${port ? `:${port}` : ''}${encryption ? ` (${encryption})` : ''}`)
    .join(', ');
}

function traceLines(trace: readonly TraceStep[]): string[] {
  return trace.map(({ step, url = '', outcome, status, ms }) => {
    const how = status === undefined ? outcome : `${outcome} ${status}`;
    return `  ${step.padEnd(14)}${how.padEnd(24)}${String(ms).padStart(6)} ms  ${clean(url)}`;
  });
}

/** A terminal obeys control characters; what servers write gets none through. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}
