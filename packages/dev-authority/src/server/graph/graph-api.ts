import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessTokenClaims } from '../access-token.js';
import type { AuthorityState } from '../authority-state.js';
import type { Person } from '../directory.js';
import { delayOrReset, hasAnswer, statusOf } from '../fault-answer.js';
import { readBody } from '../form.js';
import { authenticate, claimedClient, claimsChallenge, isAllowed } from './bearer.js';
import { type GraphAnswer, graphError, sendGraph } from './graph-answer.js';

/** A request after its token was found good. */
interface ApiRequest {
  readonly method: string;
  /** Path after the version: `/me/messages`. */
  readonly path: string;
  readonly url: URL;
  readonly body: Buffer;
  readonly headers: IncomingMessage['headers'];
  readonly claims: AccessTokenClaims;
  /** Whose data the path speaks of. */
  readonly owner: Person | undefined;
  readonly state: AuthorityState;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** One of these permissions is needed; none: any valid token will do. */
  readonly permissions: readonly string[];
  readonly answer: (request: ApiRequest) => GraphAnswer;
}

const READ_MAIL = ['Mail.Read', 'Mail.ReadWrite', 'Mail.ReadBasic'];
const READ_USERS = ['User.ReadBasic.All', 'User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All'];
const READ_SELF = ['User.Read', 'User.ReadWrite', ...READ_USERS];

const ROUTES: readonly Route[] = [
  { method: '*', path: /^\/echo$/, permissions: [], answer: echo },
  { method: 'GET', path: /^\/me$/, permissions: READ_SELF, answer: ({ owner }) => found(owner) },
  { method: 'GET', path: /^\/users$/, permissions: READ_USERS, answer: listUsers },
  { method: 'GET', path: /^\/users\/[^/]+$/, permissions: READ_USERS, answer: ({ owner }) => found(owner) },
  { method: 'GET', path: /^\/(me|users\/[^/]+)\/messages$/, permissions: READ_MAIL, answer: listMessages },
  { method: 'POST', path: /^\/(me|users\/[^/]+)\/messages$/, permissions: ['Mail.ReadWrite'], answer: addMessage },
  { method: 'POST', path: /^\/(me|users\/[^/]+)\/sendMail$/, permissions: ['Mail.Send'], answer: sendMail },
];

/** `/v1.0/…` and `/beta/…`: a small Microsoft Graph that takes tokens as seriously as the real one. */
export async function handleGraph(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  state: AuthorityState,
): Promise<void> {
  const method = request.method ?? 'GET';
  const fault = state.faults.take({ endpoint: 'graph', path: url.pathname, clientId: claimedClient(request) });
  const record = (status: number) => state.recorder.api({ at: Date.now(), method, path: url.pathname, status });
  if (fault && (await delayOrReset(fault, response))) return record(0);
  if (fault && hasAnswer(fault)) {
    const answer =
      fault.claims === undefined
        ? faultAnswer(statusOf(fault), fault.error, fault.retryAfterSeconds)
        : claimsChallenge(fault.claims, state);
    record(answer.status);
    return sendGraph(response, answer);
  }
  const answer = await answerTo(request, url, state);
  record(answer.status);
  if (fault?.reset === 'after-commit') response.socket?.destroy();
  else sendGraph(response, answer);
}

function faultAnswer(status: number, code: string | undefined, retryAfterSeconds: number | undefined): GraphAnswer {
  const headers: Record<string, string> = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const name = code ?? (status === 429 ? 'TooManyRequests' : status === 503 ? 'serviceNotAvailable' : 'generalException');
  return graphError(status, name, 'This failure was asked for by a test.', headers);
}

async function answerTo(request: IncomingMessage, url: URL, state: AuthorityState): Promise<GraphAnswer> {
  const caller = await authenticate(request, state);
  if ('refused' in caller) return caller.refused;
  const method = request.method ?? 'GET';
  const path = url.pathname.replace(/^\/[^/]+/, '') || '/';
  const route = ROUTES.find((candidate) => candidate.path.test(path) && [method, '*'].includes(candidate.method));
  if (!route) return graphError(404, 'ResourceNotFound', `No such resource: ${method} ${path}.`);
  const { claims } = caller;
  if (route.permissions.length > 0 && !isAllowed(claims, route.permissions))
    return graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  if (path.startsWith('/me') && claims.scp === undefined)
    return graphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  const owner = ownerOf(path, claims, state);
  return route.answer({ method, path, url, body: await readBody(request), headers: request.headers, claims, owner, state });
}

function ownerOf(path: string, claims: AccessTokenClaims, { directory }: AuthorityState): Person | undefined {
  const [, root, id = ''] = path.split('/');
  if (root !== 'users') return directory.byAccountId(claims.sub);
  return directory.find(decodeURIComponent(id));
}

const profile = ({ oid, name, username }: Person) => ({
  id: oid,
  displayName: name,
  userPrincipalName: username,
  mail: username,
});
const found = (person: Person | undefined): GraphAnswer =>
  person ? { status: 200, body: profile(person) } : graphError(404, 'Request_ResourceNotFound', 'The user does not exist.');

function page(url: URL, all: readonly unknown[]): GraphAnswer {
  const [top, skip] = [Number(url.searchParams.get('$top') ?? 10), Number(url.searchParams.get('$skip') ?? 0)];
  const next = new URL(url);
  next.searchParams.set('$skip', String(skip + top));
  const more = all.length > skip + top ? { '@odata.nextLink': next.href } : {};
  return { status: 200, body: { value: all.slice(skip, skip + top), ...more } };
}

function listUsers({ url, state }: ApiRequest): GraphAnswer {
  return page(url, state.directory.list(1000).map(profile));
}

function listMessages({ url, owner, state: { mailboxes } }: ApiRequest): GraphAnswer {
  return owner ? page(url, mailboxes.of(owner.accountId)) : found(owner);
}

function addMessage({ body, owner, state: { mailboxes } }: ApiRequest): GraphAnswer {
  if (!owner) return found(owner);
  const fields = parseJson(body);
  return fields ? { status: 201, body: mailboxes.add(owner.accountId, fields) } : badJson();
}

function sendMail({ body, owner, state: { mailboxes } }: ApiRequest): GraphAnswer {
  if (!owner) return found(owner);
  const message = parseJson(body)?.message;
  if (typeof message !== 'object' || message === null) return badJson();
  mailboxes.add(owner.accountId, { ...message });
  return { status: 202 };
}

/** Answers with what arrived: for tests of headers, bodies and retries. The token stays out of it. */
function echo({ method, url, headers, body, claims }: ApiRequest): GraphAnswer {
  const { authorization: _authorization, ...others } = headers;
  const caller = { oid: claims.oid, tid: claims.tid, appid: claims.appid, scp: claims.scp, roles: claims.roles };
  return {
    status: 200,
    body: {
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: others,
      body: body.toString('utf8'),
      caller,
    },
  };
}

const badJson = () => graphError(400, 'BadRequest', 'The body is not the JSON that was expected.');

function parseJson(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
