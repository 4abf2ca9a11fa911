import { discard } from './discard.js';
import type { Outgoing } from './outgoing.js';

/** The fetch standard's limit. */
const MAX_REDIRECTS = 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-length', 'content-location', 'content-type'];
/** What belongs to one origin and must not travel to another. */
const ORIGIN_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'host'];

/** One step of a redirect chain. */
export interface Hop {
  readonly request: Outgoing;
  /** No step of the chain has left the origin it started from. */
  readonly sameOrigin: boolean;
}

/**
 * Sends `first` and follows redirects as the fetch standard says, one `send` per step, so that each step can decide about
 * its own credentials.
 * @throws TypeError where the platform's `fetch` would: too many redirects, `redirect: 'error'`, a stream that would have to
 * be sent again.
 */
export async function followRedirects(first: Outgoing, send: (hop: Hop) => Promise<Response>): Promise<Response> {
  const mode = first.redirect;
  let hop: Hop = { request: { ...first, redirect: 'manual' }, sameOrigin: true };
  for (let followed = 0; ; followed++) {
    const response = await send(hop);
    const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
    if (location === null || mode === 'manual') return followed === 0 ? response : asRedirected(response);
    await discard(response);
    if (mode === 'error') throw failed('the server redirects, and `redirect` is "error"');
    if (followed === MAX_REDIRECTS) throw failed(`more than ${MAX_REDIRECTS} redirects`);
    hop = nextHop(hop, { status: response.status, location });
  }
}

function nextHop(
  { request, sameOrigin }: Hop,
  { status, location }: { readonly status: number; readonly location: string },
): Hop {
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw failed('the redirect leads to no usable URL');
  if (url.hash === '') url.hash = request.url.hash;
  if (status !== 303 && !request.replayable) throw failed('a redirect asks for a stream that was already sent');
  const stays = url.origin === request.url.origin;
  const headers = new Headers(request.headers);
  if (!stays) for (const name of ORIGIN_HEADERS) headers.delete(name);
  return { request: withMethodFor(status, { ...request, url, headers }), sameOrigin: sameOrigin && stays };
}

/** 303, and 301 or 302 after a POST, turn into a GET without body. */
function withMethodFor(status: number, request: Outgoing): Outgoing {
  const { method, headers } = request;
  const toGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  if (!toGet) return request;
  for (const name of BODY_HEADERS) headers.delete(name);
  return { ...request, method: 'GET', body: undefined, replayable: true };
}

function asRedirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true });
}

function failed(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}
