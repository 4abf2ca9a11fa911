import type { AccessTokenResult } from './access-token.js';
import type { AccountEngine } from './account-engine.js';
import { Connection } from './connection.js';
import { defined } from './defined.js';
import { authorizedFetch, type TokenForRequestOptions } from './http/authorized-fetch.js';
import type { Fetch } from './http/fetch.js';

type GetToken = (options: TokenForRequestOptions) => Promise<AccessTokenResult>;

/** One account's ways to make requests, each built when it is first used. */
export class AccountRequests {
  readonly #engine: AccountEngine;
  readonly #getToken: GetToken;
  #fetch: Fetch | undefined;
  #connection: Connection | undefined;

  constructor(engine: AccountEngine, getToken: GetToken) {
    this.#engine = engine;
    this.#getToken = getToken;
  }

  get fetch(): Fetch {
    const { naiveFetch, protocol, options } = this.#engine;
    this.#fetch ??= authorizedFetch({
      fetch: naiveFetch,
      serviceUrl: protocol.serviceUrl,
      getToken: this.#getToken,
      ...defined({ allowedHosts: options.allowedHosts }),
    });
    return this.#fetch;
  }

  get connection(): Connection {
    this.#connection ??= this.#newConnection();
    return this.#connection;
  }

  #newConnection(): Connection {
    const { naiveFetch, protocol, clock, options } = this.#engine;
    const { raiseHttpErrors, defaultHeaders, jsonReplacer } = options;
    return new Connection({
      protocol,
      fetch: this.fetch,
      naiveFetch,
      refreshToken: (request) => this.#getToken({ ...request, forceRefresh: true }),
      now: () => clock.now(),
      ...defined({ raiseHttpErrors, defaultHeaders, jsonReplacer }),
    });
  }
}
