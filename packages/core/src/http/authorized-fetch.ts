import { invalidArgument } from '../options.js';
import { bearerHosts } from './bearer-hosts.js';
import { claimsChallenge } from './challenge.js';
import { discard } from './discard.js';
import type { Fetch } from './fetch.js';
import { type Outgoing, outgoing, sendable } from './outgoing.js';
import { followRedirects, type Hop } from './redirects.js';

export interface TokenForRequestOptions {
  readonly signal?: AbortSignal;
  /** Set after a 401, together with `refusedToken`. */
  readonly forceRefresh?: boolean;
  /** Claims the API demanded, as JSON. */
  readonly claims?: string;
  /** The token that the API refused: if another one is stored meanwhile, that is the answer. */
  readonly refusedToken?: string;
  /** Whose request it is, once a token went with it: meanwhile another account may have been chosen. */
  readonly account?: TokenOwner;
}

/** Who a token speaks for. */
interface TokenOwner {
  readonly homeAccountId: string;
}

export interface AuthorizedFetchOptions {
  /** Sends one request as it is, with whatever retries are wanted. */
  readonly fetch: Fetch;
  readonly getToken: (options: TokenForRequestOptions) => Promise<{ readonly token: string; readonly account?: TokenOwner }>;
  /** Its origin may receive the token. */
  readonly serviceUrl: string;
  /** More hosts that may: `contoso.sharepoint.com`, `localhost:4000`, `*.sharepoint.com`. */
  readonly allowedHosts?: readonly string[];
}

/**
 * A `fetch` that adds the bearer token, fresh before each request.
 *
 * The token goes only to the service's origin and to `allowedHosts`, over https (http on loopback), never across a redirect
 * to another origin. Any other URL is requested without it, and without asking for one. An `Authorization` header of the
 * caller's own is left as it is. A 401 leads to one refresh, with the API's claims challenge where it sent one, and to one
 * repeat of the request if its body can be sent again; nothing is thrown for a status.
 *
 * @throws TypeError as `fetch` does; what `getToken` throws (`SignInRequiredError`, …) before anything is sent.
 */
export function authorizedFetch(options: AuthorizedFetchOptions): Fetch {
  const { fetch, getToken } = options;
  const mayCarryToken = bearerHosts(options.serviceUrl, options.allowedHosts);
  return async (input, init) => {
    const request = await outgoing(input, init);
    const ownCredentials = request.headers.has('authorization');
    const bearer = new BearerRequest(fetch, getToken);
    return followRedirects(request, (hop: Hop) =>
      !ownCredentials && hop.sameOrigin && mayCarryToken(hop.request.url)
        ? bearer.send(hop.request)
        : fetch(...sendable(hop.request)),
    );
  };
}

/** One caller's request, over all its redirects: at most one refresh, at most one repeat. */
class BearerRequest {
  readonly #fetch: Fetch;
  readonly #getToken: AuthorizedFetchOptions['getToken'];
  #refreshed = false;
  #account: TokenOwner | undefined;

  constructor(fetch: Fetch, getToken: AuthorizedFetchOptions['getToken']) {
    this.#fetch = fetch;
    this.#getToken = getToken;
  }

  async send(request: Outgoing): Promise<Response> {
    const token = await this.#tokenFor(request, {});
    const response = await this.#sendWith(token, request);
    if (response.status !== 401 || this.#refreshed) return response;
    this.#refreshed = true;
    const fresh = await this.#freshToken(token, { request, response });
    // A stream is gone. Its caller gets the 401, and the next request finds the fresh token.
    if (fresh === token || !request.replayable) return response;
    await discard(response);
    return this.#sendWith(fresh, request);
  }

  async #freshToken(
    refusedToken: string,
    { request, response }: { readonly request: Outgoing; readonly response: Response },
  ): Promise<string> {
    const claims = claimsChallenge(response.headers.get('www-authenticate'));
    try {
      return await this.#tokenFor(request, { forceRefresh: true, refusedToken, ...(claims && { claims }) });
    } catch (error) {
      await discard(response);
      throw error;
    }
  }

  async #tokenFor({ signal }: Outgoing, options: TokenForRequestOptions): Promise<string> {
    const mine = this.#account && { account: this.#account };
    const { token, account } = await this.#getToken({ ...options, ...mine, ...(signal && { signal }) });
    this.#account ??= account;
    return token;
  }

  #sendWith(token: string, request: Outgoing): Promise<Response> {
    // The platform's own complaint would quote the token.
    if (!/^[\x21-\x7e]+$/.test(token)) throw invalidArgument('The access token holds characters that a header cannot carry.');
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${token}`);
    return this.#fetch(...sendable({ ...request, headers }));
  }
}
