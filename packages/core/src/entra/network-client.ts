import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { readTokenAnswer, type TokenAnswer } from './token-answer.js';

/**
 * Lets msal-node send through our transport, once per call, and keeps what it would lose: the raw answer (its `Date`,
 * fields it does not know) and the error as it was thrown. msal-node wraps every foreign error as `network_error`
 * without its cause, so that "nothing was sent" and "sent, no answer" would look alike.
 */
export class CapturingNetworkClient implements INetworkModule {
  readonly #fetch: typeof globalThis.fetch;
  readonly #read: (response: Response) => Promise<TokenAnswer>;
  #answer: TokenAnswer | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** `read` turns a response into an answer or a thrown refusal. */
  constructor(fetch: typeof globalThis.fetch, read: (response: Response) => Promise<TokenAnswer> = readTokenAnswer) {
    this.#fetch = fetch;
    this.#read = read;
  }

  /** The last answer that was not thrown as a refusal. */
  get answer(): TokenAnswer | undefined {
    return this.#answer;
  }

  /** What went wrong on the network, or the server's refusal; wrapped, as anything can be thrown. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Whether a request left through this client. */
  get wasUsed(): boolean {
    return this.#answer !== undefined || this.#failure !== undefined;
  }

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send<T>(url, { method: 'GET', ...headersOf(options) });
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send<T>(url, { method: 'POST', body: options?.body ?? '', ...headersOf(options) });
  }

  // No signal: a token call that was sent is never aborted, or a rotated refresh token would be lost with its answer.
  async #send<T>(url: string, init: RequestInit): Promise<NetworkResponse<T>> {
    try {
      // A token endpoint that redirects would get the client secret repeated elsewhere.
      const answer = await this.#read(await this.#fetch(url, { ...init, redirect: 'manual' }));
      this.#answer = answer;
      return { status: answer.status, headers: answer.headers, body: answer.body as T };
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

function headersOf(options: NetworkRequestOptions | undefined): { readonly headers: Record<string, string> } {
  return { headers: { accept: 'application/json', ...options?.headers } };
}
