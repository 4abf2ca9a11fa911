import { AutodiscoverError } from '../errors.js';
import { getUserSettingsBody, SERVER_VERSIONS, SOAP_HEADERS } from '../soap/get-user-settings-request.js';
import {
  type GetUserSettingsResponse,
  readGetUserSettingsResponse,
  type UserResponse,
} from '../soap/get-user-settings-response.js';
import { findingFromSoap } from './finding.js';
import { attemptAddress } from './redirect-target.js';
import type { Probe, VisitContext } from './server-visit.js';
import { visitServer } from './server-visit.js';
import { type Posted, post } from './signed-in-post.js';
import { type FailureReason, failed, type VisitOutcome } from './visit-outcome.js';

const NOBODY = 'nobody@example.com';

/** Asks one server for the mailbox's settings by SOAP. */
export async function askSoap(context: VisitContext, url: URL, probe: Probe): Promise<VisitOutcome> {
  for (const version of SERVER_VERSIONS) {
    const outcome = await ask(context, url, probe, version);
    if (!('retryOlder' in outcome)) return outcome;
  }
  return failed('server-error');
}

async function ask(
  context: VisitContext,
  url: URL,
  probe: Probe,
  version: string,
): Promise<VisitOutcome | { readonly retryOlder: true }> {
  const { mailbox, settings, identity } = context;
  const request = { endpoint: url, settings, version };
  const posted = await post(
    context,
    {
      step: 'soap',
      url,
      // Exchange routes by this header; with a token it demands it.
      headers: { ...SOAP_HEADERS, 'x-anchormailbox': headerSafe(mailbox.address) },
      body: getUserSettingsBody({ ...request, addresses: [mailbox.address], identity }),
      dummy: getUserSettingsBody({ ...request, addresses: [NOBODY] }),
    },
    probe,
  );
  if ('kind' in posted) return posted;
  return read(context, url, posted);
}

function read(
  context: VisitContext,
  url: URL,
  posted: Posted,
): Promise<VisitOutcome> | VisitOutcome | { readonly retryOlder: true } {
  let response: GetUserSettingsResponse;
  try {
    response = readGetUserSettingsResponse(posted.answer.body);
  } catch (error) {
    if (!AutodiscoverError.is(error)) throw error;
    const fault = error.code === 'TOKENRY_AUTODISCOVER_SERVER_ERROR';
    posted.end(fault ? 'server-error' : 'not-autodiscover', { detail: error.message });
    if (fault && /version/i.test(error.message)) return { retryOlder: true };
    return failed(fault ? 'server-error' : 'nothing', {
      message: error.message,
      ...(error.serverCode ? { serverCode: error.serverCode } : {}),
    });
  }
  const [user] = response.users;
  if (response.code !== 'NoError' || !user) return byCode(posted, response.code, response.message);
  if (user.code === 'NoError') {
    posted.end('ok');
    const source = { endpoint: url.href, authSchemes: posted.schemes };
    return { kind: 'found', finding: findingFromSoap(user, response.serverVersion, source) };
  }
  return redirectOf(context, url, user, posted) ?? byCode(posted, user.code, user.message);
}

function redirectOf(
  context: VisitContext,
  url: URL,
  user: UserResponse,
  posted: Posted,
): Promise<VisitOutcome> | VisitOutcome | undefined {
  if (user.code === 'RedirectAddress' && user.redirectTarget) {
    posted.end('redirect-address');
    return attemptAddress(user.redirectTarget, url);
  }
  if (user.code !== 'RedirectUrl' || !user.redirectTarget) return undefined;
  posted.end('redirected');
  return followSoapUrl(context, user.redirectTarget, url);
}

async function followSoapUrl(context: VisitContext, target: string, from: URL): Promise<VisitOutcome> {
  const followed = await context.redirects.follow(target, from, 'soap');
  return followed.kind === 'go' ? visitServer(context, followed.url) : failed(followed.reason);
}

const CODES: Readonly<Record<string, { readonly outcome: string; readonly reason: FailureReason }>> = {
  InvalidUser: { outcome: 'mailbox-not-found', reason: 'mailbox-not-found' },
  NotFederated: { outcome: 'not-federated', reason: 'not-federated' },
  InternalServerError: { outcome: 'server-error', reason: 'server-error' },
};

/** Codes that nobody has heard of end this server's visit like those that say "not here". */
function byCode(posted: Posted, code: string, message: string): VisitOutcome {
  if (code === 'ServerBusy') {
    posted.end('server-busy', { detail: message });
    return { kind: 'busy' };
  }
  const { outcome, reason } = CODES[code] ?? { outcome: 'server-error', reason: 'server-error' as const };
  posted.end(outcome, { detail: `${code}: ${message}` });
  return failed(reason, { serverCode: code, message });
}

/** Header values are bytes: names beyond ASCII go as UTF-8. */
function headerSafe(address: string): string {
  return Buffer.from(address, 'utf8').toString('latin1');
}
