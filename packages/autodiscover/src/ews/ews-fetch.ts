import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { AuthScheme } from '../auth/auth-scheme.js';
import { authorizedExchange, offered } from '../auth/authorized-exchange.js';
import { type AuthChallenge, parseChallenges } from '../auth/challenges.js';
import type { Identity } from '../credentials/identity.js';
import { AutodiscoverError } from '../errors.js';
import { certificateOf, type HttpClient, type HttpRequest } from '../http/http-client.js';
import { TransportFailure } from '../http/transport-failure.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import { watchForMove } from './moved-mailbox.js';
import { withImpersonation } from './soap-header.js';

export interface EwsFetchOptions {
  readonly client: HttpClient;
  readonly policy: TrustPolicy;
  readonly scheme: AuthScheme | undefined;
  /** Whose mailbox requests are about; goes into X-AnchorMailbox, by which Exchange routes. */
  readonly mailbox: string;
  /** Who is impersonated; nobody with delegate access. */
  readonly identity: Identity | undefined;
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  /** Called when the service cannot be reached or says that the mailbox has moved. */
  readonly onUnavailable: () => void;
}

/** Statuses that mean "look for the mailbox again". */
const MOVED = new Set([404, 502, 503, 504]);

/**
 * A `fetch` for the mailbox's EWS server: signed in by the chosen scheme, with the impersonation headers, never following
 * a redirect. It speaks to the discovered EWS hosts alone; one outside the trust rules is put to `onRedirect` first.
 */
export function createEwsFetch(options: EwsFetchOptions): typeof globalThis.fetch {
  const allowed = new Set(options.urls.map((url) => new URL(url).origin));
  const offers: Offers = new Map();
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.protocol !== 'https:' || !allowed.has(url.origin))
      throw new TypeError(`services.ews.fetch speaks to ${[...allowed].join(' and ')}, not to ${url.origin}.`);
    const verdict = await options.policy.check(url, url.origin, 'service');
    if (!verdict.allowed)
      throw new AutodiscoverError(`No credential may go to the EWS server: ${verdict.why}.`, { code: 'REDIRECT_BLOCKED' });
    const message = await exchange(options, await prepare(options, request, url), offers);
    request.signal.addEventListener('abort', () => message.destroy(), { once: true });
    if (MOVED.has(message.statusCode ?? 0)) options.onUnavailable();
    return toResponse(message, options.onUnavailable);
  };
}

async function prepare({ mailbox, identity, timeoutMs }: EwsFetchOptions, request: Request, url: URL): Promise<HttpRequest> {
  const headers: Record<string, string> = Object.fromEntries(request.headers);
  delete headers.authorization; // chosen by the scheme alone
  headers['x-anchormailbox'] ??= Buffer.from(mailbox, 'utf8').toString('latin1');
  const bytes = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  const isXml = /xml/i.test(headers['content-type'] ?? 'xml');
  const body = bytes && identity && isXml ? withImpersonation(new TextDecoder().decode(bytes), identity) : bytes;
  return { method: request.method, url, headers, body, signal: request.signal, timeoutMs };
}

/** What servers have offered: each is asked once. */
type Offers = Map<string, readonly AuthChallenge[]>;

async function exchange(
  { client, scheme, onUnavailable }: EwsFetchOptions,
  request: HttpRequest,
  offers: Offers,
): Promise<IncomingMessage> {
  try {
    if (!scheme?.accepts(request.url)) return await client.open(request);
    const challengesOf = (answer: IncomingMessage) => parseChallenges(answer.headersDistinct['www-authenticate']);
    // A secret that is not bound to this host waits until the server has asked for it.
    const challenges = scheme.needsNoOffer ? [] : (offers.get(request.url.origin) ?? challengesOf(await look(client, request)));
    if (!scheme.needsNoOffer && !offered(challenges, scheme)) return await client.open(request);
    offers.set(request.url.origin, challenges);
    const answer = await authorizedExchange<IncomingMessage & { readonly status: number }>(
      async (signed) => withStatus(await client.open(signed)),
      request,
      { client, scheme, challenges, challengesOf, certificateOf, discard: (message) => void message.resume() },
    );
    return answer ?? (await client.open(request));
  } catch (error) {
    if (error instanceof TransportFailure) {
      onUnavailable();
      throw new TypeError(`fetch failed: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Finds out what the server wants, with nothing of the request in it. */
async function look(client: HttpClient, { url, signal, timeoutMs }: HttpRequest): Promise<IncomingMessage> {
  const message = await client.open({ method: 'GET', url, signal, timeoutMs });
  message.resume();
  return message;
}

function withStatus(message: IncomingMessage): IncomingMessage & { readonly status: number } {
  return Object.defineProperty(message as IncomingMessage & { status: number }, 'status', { value: message.statusCode ?? 0 });
}

function toResponse(message: IncomingMessage, onMoved: () => void): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const status = message.statusCode ?? 0;
  const bodyless = status === 204 || status === 304;
  if (bodyless) message.resume();
  const bytes = bodyless ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>);
  const isXml = /xml/i.test(headers.get('content-type') ?? '');
  const body = bytes && isXml ? bytes.pipeThrough(watchForMove(onMoved)) : bytes;
  return new Response(body, { status, statusText: message.statusMessage ?? '', headers });
}
