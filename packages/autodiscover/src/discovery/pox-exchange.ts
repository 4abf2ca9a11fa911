import { AutodiscoverError } from '../errors.js';
import { POX_HEADERS, poxBody } from '../pox/pox-request.js';
import { type PoxResponse, readPoxResponse } from '../pox/pox-response.js';
import { isUnknownMailbox } from '../pox/pox-selection.js';
import { findingFromPox } from './finding.js';
import { attemptAddress } from './redirect-target.js';
import { type Probe, type VisitContext, visitServer } from './server-visit.js';
import { type Posted, post } from './signed-in-post.js';
import { failed, type VisitOutcome } from './visit-outcome.js';

/** Asks one server for the mailbox's settings by POX. */
export async function askPox(context: VisitContext, url: URL, probe: Probe): Promise<VisitOutcome> {
  const { mailbox } = context;
  const request = {
    headers: POX_HEADERS,
    body: poxBody({ address: mailbox.address }),
    dummy: poxBody({ address: 'nobody@example.com' }),
  };
  const posted = await post(context, { step: 'pox', url, ...request }, probe);
  if ('kind' in posted) return posted;
  let answer: PoxResponse;
  try {
    answer = readPoxResponse(posted.answer.body);
  } catch (error) {
    if (!AutodiscoverError.is(error)) throw error;
    posted.end('not-autodiscover', { detail: error.message });
    return failed('nothing');
  }
  return judge(context, url, answer, posted);
}

async function judge(context: VisitContext, url: URL, answer: PoxResponse, posted: Posted): Promise<VisitOutcome> {
  const { error, redirectAddress, redirectUrl } = answer;
  if (error) {
    const unknown = isUnknownMailbox(error);
    posted.end(unknown ? 'mailbox-not-found' : 'server-error', { detail: `${error.code}: ${error.message}` });
    return failed(unknown ? 'mailbox-not-found' : 'server-error', { serverCode: error.code, message: error.message });
  }
  if (redirectAddress !== undefined) {
    posted.end('redirect-address');
    return attemptAddress(redirectAddress, url);
  }
  if (redirectUrl !== undefined) {
    posted.end('redirected');
    const followed = await context.redirects.follow(redirectUrl, url, 'pox');
    return followed.kind === 'go' ? visitServer(context, followed.url) : failed(followed.reason);
  }
  const finding = findingFromPox(answer, { endpoint: url.href, authSchemes: posted.schemes });
  if (answer.protocols.length === 0) {
    posted.end('not-autodiscover', { detail: 'neither settings nor a redirect' });
    return failed('nothing');
  }
  posted.end('ok');
  return { kind: 'found', finding };
}
