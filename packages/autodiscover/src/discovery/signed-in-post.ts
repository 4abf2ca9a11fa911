import { type AuthChallenge, parseChallenges } from '../auth/challenges.js';
import type { HttpAnswer } from '../http/http-client.js';
import { isRedirect } from './redirects.js';
import { followRedirect, obstacleTo, type Probe, type VisitContext } from './server-visit.js';
import type { Sent } from './session.js';
import { failed, type VisitOutcome } from './visit-outcome.js';

export interface Post {
  readonly step: 'soap' | 'pox';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The request proper; it names the mailbox. */
  readonly body: string;
  /** The same request for nobody, to find out whether credentials are wanted before naming anyone. */
  readonly dummy: string;
}
export type Posted = {
  readonly answer: HttpAnswer;
  readonly end: (outcome: string, more?: { detail?: string | undefined }) => void;
  readonly schemes: readonly string[];
};

/**
 * Posts a request to a server: anonymously where it wants no credentials, signed in where it does and the rules allow it.
 * Gives the answer, or how the visit ends without one.
 */
export async function post(context: VisitContext, request: Post, probe: Probe): Promise<Posted | VisitOutcome> {
  const { session } = context;
  let challenges = probe.challenges;
  if (!probe.wantsCredentials) {
    const open = await session.anonymous(request.step, {
      method: 'POST',
      url: request.url,
      headers: request.headers,
      body: request.dummy,
    });
    const refusal = await judgeAnonymous(context, request, open);
    if (refusal === 'open') {
      const sent = await session.anonymous(request.step, { method: 'POST', ...request });
      return 'failed' in sent ? failed('nothing') : settle(context, request, sent, []);
    }
    if ('kind' in refusal) return refusal;
    challenges = refusal.challenges;
  }
  return postSignedIn(context, request, challenges);
}

async function postSignedIn(
  context: VisitContext,
  request: Post,
  challenges: readonly AuthChallenge[],
): Promise<Posted | VisitOutcome> {
  const { session } = context;
  const schemes = [...new Set(challenges.map(({ scheme }) => scheme))];
  const obstacle = obstacleTo(context, request.url, challenges);
  if (obstacle !== undefined) {
    session.trace.start(request.step, request.url)(obstacle, {
      detail: schemes.length > 0 ? `offers ${schemes.join(', ')}` : undefined,
    });
    return failed('no-credentials', { host: request.url.host });
  }
  const sent = await session.signedIn(
    request.step,
    { method: 'POST', url: request.url, headers: request.headers, body: request.body },
    challenges,
  );
  if ('failed' in sent) return failed(sent.failed === 'no-credentials' ? 'no-credentials' : 'nothing');
  return settle(context, request, sent, schemes);
}

async function judgeAnonymous(
  context: VisitContext,
  request: Post,
  sent: Sent,
): Promise<'open' | { readonly challenges: readonly AuthChallenge[] } | VisitOutcome> {
  if ('failed' in sent) return failed('nothing');
  const { answer, end } = sent;
  if (isRedirect(answer.status)) {
    end('redirected');
    return followRedirect(context, answer, request.url);
  }
  if (answer.status === 401) {
    end('wants-credentials');
    return { challenges: parseChallenges(answer.distinct['www-authenticate']) };
  }
  if (looksLikeAutodiscover(answer)) {
    end('ok', { detail: 'wants no credentials' });
    return 'open';
  }
  return endByStatus(context, sent);
}

async function settle(
  context: VisitContext,
  request: Post,
  sent: Extract<Sent, { answer: HttpAnswer }>,
  schemes: readonly string[],
): Promise<Posted | VisitOutcome> {
  const { answer, end } = sent;
  if (isRedirect(answer.status)) {
    end('redirected');
    return followRedirect(context, answer, request.url);
  }
  if (answer.status === 401 || answer.status === 403) {
    end('refused');
    return failed('refused');
  }
  return looksLikeAutodiscover(answer) ? { answer, end, schemes } : endByStatus(context, sent);
}

/** SOAP faults arrive with status 500, so the body decides, not the status. A web page gets no further: it shall not learn the address. */
function looksLikeAutodiscover({ status, body }: HttpAnswer): boolean {
  return (status === 200 || status === 500) && /<(?:[\w.-]+:)?(?:envelope|autodiscover)[\s>/]/i.test(body.slice(0, 2000));
}

function endByStatus({ session }: VisitContext, { answer, end }: Extract<Sent, { answer: HttpAnswer }>): VisitOutcome {
  if (answer.status === 503 || answer.status === 429) {
    end('server-busy');
    const retryAfterMs = retryAfter(answer.headers['retry-after'], session.options.clock.now());
    return { kind: 'busy', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  // Exchange's front end names its own failures here.
  const casError = answer.headers['x-caserrorcode'];
  if (answer.status === 200) end('not-autodiscover');
  else
    end(answer.status >= 500 ? 'server-error' : 'not-found', { detail: casError === undefined ? undefined : String(casError) });
  return failed('nothing');
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  // What else Date.parse takes for a date, such as "-1", is none.
  const at = /^[A-Z][a-z]+,? /.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
