import { invalidArgument } from '../options.js';
import type { FetchBody, FetchInput } from './fetch.js';
import { withoutValues } from './network-errors.js';

/** A request taken apart, so that it can be sent more than once. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  /** Our own copy; the caller's object stays as it is. */
  readonly headers: Headers;
  readonly body: FetchBody | undefined;
  /** Whether `body` can be sent again: streams and iterables cannot. */
  readonly replayable: boolean;
  readonly signal: AbortSignal | undefined;
  readonly redirect: NonNullable<RequestInit['redirect']>;
  /** Everything else the caller set. */
  readonly rest: RequestInit;
}

/** A `Request` hides whether its body was a string or a stream; up to this size we keep a copy of it. */
const KEPT_BODY_BYTES = 1_048_576;

/**
 * Takes apart what a caller of `fetch` passed.
 * @throws TypeError without quoting a value, where the platform would quote URLs and headers.
 */
export async function outgoing(input: FetchInput, init: RequestInit = {}): Promise<Outgoing> {
  try {
    return typeof input === 'object' && 'url' in input ? await fromRequest(input, init) : fromUrl(input, init);
  } catch (error) {
    throw withoutValues(error);
  }
}

/** The arguments for one `fetch` of `request`. */
export function sendable(request: Outgoing): [URL, RequestInit] {
  const { url, method, headers, body, signal, redirect, rest, replayable } = request;
  const init: RequestInit = { ...rest, method, headers, redirect };
  if (signal) init.signal = signal;
  if (body !== undefined) init.body = body;
  // The platform insists on it for streams (fetch standard, `RequestInit.duplex`).
  if (!replayable) init.duplex = 'half';
  return [url, init];
}

function fromUrl(input: string | URL, init: RequestInit): Outgoing {
  const { method = 'GET', headers, body, signal, redirect = 'follow', ...rest } = init;
  const upper = method.toUpperCase();
  return {
    url: absolute(String(input)),
    // The platform upper-cases these alone; "patch" stays as it is and most servers refuse it.
    method: /^(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT)$/.test(upper) ? upper : method,
    headers: new Headers(headers),
    body: body ?? undefined,
    replayable: isReplayable(body),
    signal: signal ?? undefined,
    redirect,
    rest,
  };
}

async function fromRequest(input: Request, init: RequestInit): Promise<Outgoing> {
  const request = new Request(input, init);
  const { body: given, method: _method, headers: _headers, signal: _signal, redirect: _redirect, ...rest } = init;
  const kept = given == null && request.body ? await keptBody(request.body) : given;
  return {
    url: absolute(request.url),
    method: request.method,
    headers: new Headers(request.headers),
    body: kept ?? undefined,
    replayable: isReplayable(kept),
    signal: init.signal ?? input.signal,
    redirect: request.redirect,
    rest: { ...rest, integrity: request.integrity, keepalive: request.keepalive },
  };
}

function absolute(text: string): URL {
  if (!URL.canParse(text)) throw invalidArgument('fetch: the URL is not an absolute URL.');
  const url = new URL(text);
  if (url.username || url.password) throw invalidArgument('fetch: the URL must not carry credentials.');
  return url;
}

function isReplayable(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}

/** The whole body as bytes if it is small; otherwise the same stream again, what was read so far put back in front. */
async function keptBody(stream: ReadableStream<Uint8Array>): Promise<FetchBody> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size <= KEPT_BODY_BYTES) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(Buffer.concat(chunks));
    chunks.push(value);
    size += value.byteLength;
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = chunks.shift() ?? (await reader.read()).value;
      if (next) controller.enqueue(next);
      else controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }) as unknown as FetchBody;
}
