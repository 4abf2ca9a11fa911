import type { AccessTokenResult } from './access-token.js';
import type { Fetch } from './http/fetch.js';
import { httpError } from './http/http-error.js';
import { encodeBody, type JsonReplacer } from './http/json-body.js';
import { mergeHeaders } from './http/merge-headers.js';
import { type QueryParams, requestUrl } from './http/request-url.js';
import { strictOptions } from './options.js';
import type { Protocol } from './protocol/protocol.js';

/** Options of one request. */
export interface RequestOptions {
  /** Query parameters; names and values are encoded, `$top` keeps its `$`. */
  readonly params?: QueryParams;
  /** Win over the default headers, except `Prefer`, which keeps both. Never changed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What a connection is made of; `Account` supplies it. */
export interface ConnectionParts {
  readonly protocol: Protocol;
  /** Adds the token, refreshes, repeats. */
  readonly fetch: Fetch;
  /** The same without a token. */
  readonly naiveFetch: Fetch;
  /** Throw `HttpError` for a status of 400 or more. @default true */
  readonly raiseHttpErrors?: boolean;
  /** Added to every request that does not set them itself. */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Used for JSON bodies. */
  readonly jsonReplacer?: JsonReplacer;
  readonly refreshToken: (options: { readonly signal?: AbortSignal }) => Promise<AccessTokenResult>;
  /** Epoch milliseconds, for `Retry-After` dates. */
  readonly now?: () => number;
}

/**
 * Makes authorised requests. Relative URLs, with or without a slash in front, resolve against `protocol.serviceUrl`. Absolute
 * URLs work too; hosts that are neither the protocol's nor allowed explicitly are asked without the token.
 *
 * A status of 400 or more throws `HttpError`, unless the account was made with `raiseHttpErrors: false`; then, and after
 * retries are used up, the answer itself is returned. Get one from `account.connection`.
 */
export class Connection {
  readonly #parts: ConnectionParts;

  /** @internal */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** The answer to a GET, such as `get('/me/messages', { params: { $top: 5 } })`. @throws HttpError */
  get(url: string, options?: RequestOptions): Promise<Response> {
    return this.#request({ method: 'GET', url }, options);
  }

  /**
   * The answer to a POST of `data`: JSON, unless it is a string, bytes, a form, a blob or a stream. A stream cannot be
   * repeated after a 401, a 429 or a failure. @throws HttpError
   */
  post(url: string, data?: unknown, options?: RequestOptions): Promise<Response> {
    return this.#request({ method: 'POST', url, data }, options);
  }

  /** The answer to a PUT of `data`, encoded as for `post`. @throws HttpError */
  put(url: string, data?: unknown, options?: RequestOptions): Promise<Response> {
    return this.#request({ method: 'PUT', url, data }, options);
  }

  /** The answer to a PATCH of `data`, encoded as for `post`. @throws HttpError */
  patch(url: string, data?: unknown, options?: RequestOptions): Promise<Response> {
    return this.#request({ method: 'PATCH', url, data }, options);
  }

  /** The answer to a DELETE. @throws HttpError */
  delete(url: string, options?: RequestOptions): Promise<Response> {
    return this.#request({ method: 'DELETE', url }, options);
  }

  /** A request without token, with the same URLs, default headers, retries and errors. @throws HttpError */
  naiveRequest(url: string, init: RequestInit = {}): Promise<Response> {
    return this.#send(this.#parts.naiveFetch, requestUrl(url, this.#parts.protocol.serviceUrl), init);
  }

  /** Spends the refresh token now and returns the new access token. */
  async refreshToken(options: { readonly signal?: AbortSignal } = {}): Promise<AccessTokenResult> {
    return this.#parts.refreshToken(strictOptions('refreshToken', options, ['signal']));
  }

  async #request(
    { method, url, data }: { readonly method: string; readonly url: string; readonly data?: unknown },
    options: RequestOptions = {},
  ): Promise<Response> {
    const { params, headers, signal } = strictOptions('Request', options, ['params', 'headers', 'signal']);
    const { protocol, jsonReplacer, fetch } = this.#parts;
    const { body, contentType } = encodeBody(data, jsonReplacer);
    const init: RequestInit = { method, headers: mergeHeaders(headers, contentType ? { 'content-type': contentType } : {}) };
    if (body !== undefined) init.body = body;
    if (signal !== undefined) init.signal = signal;
    return this.#send(fetch, requestUrl(url, protocol.serviceUrl, params), init);
  }

  async #send(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
    const { defaultHeaders = {}, raiseHttpErrors = true, now = Date.now } = this.#parts;
    const response = await fetch(url, { ...init, headers: mergeHeaders(init.headers, defaultHeaders) });
    if (response.status < 400 || !raiseHttpErrors) return response;
    throw await httpError(response, { method: init.method ?? 'GET', url, now: now() });
  }
}
