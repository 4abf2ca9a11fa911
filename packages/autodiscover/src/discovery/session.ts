import type { Clock } from '@tokenry/core';
import type { AuthScheme } from '../auth/auth-scheme.js';
import { authorizedExchange, challengesOf } from '../auth/authorized-exchange.js';
import type { AuthChallenge } from '../auth/challenges.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/http-client.js';
import { type FailureKind, TransportFailure } from '../http/transport-failure.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { StepName, Trace } from './trace.js';

/** Ends the trace step of an answer: what became of it. */
export type EndStep = (outcome: string, more?: { detail?: string | undefined }) => void;
export type Sent = { readonly answer: HttpAnswer; readonly end: EndStep } | { readonly failed: FailureKind | 'no-credentials' };

export interface SessionOptions {
  readonly client: HttpClient;
  readonly policy: TrustPolicy;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly stepTimeoutMs: number;
  readonly scheme: AuthScheme | undefined;
}

type Message = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>;

/** The one way in which a discovery speaks to servers: traced, timed, and with the credential behind a single door. */
export class Session {
  readonly options: SessionOptions;
  constructor(options: SessionOptions) {
    this.options = options;
  }

  get policy(): TrustPolicy {
    return this.options.policy;
  }
  get trace(): Trace {
    return this.options.trace;
  }
  get scheme(): AuthScheme | undefined {
    return this.options.scheme;
  }

  /** Sends without any credential. */
  anonymous(step: StepName, message: Message): Promise<Sent> {
    return this.#traced(step, message.url, () => this.#request(message));
  }

  /** Sends signed in: the only place that hands a URL to the scheme, and only one that passes all rules. */
  async signedIn(step: StepName, message: Message, challenges: readonly AuthChallenge[]): Promise<Sent> {
    const { scheme, client } = this.options;
    if (!scheme || !this.maySignIn(message.url)) return { failed: 'no-credentials' };
    return this.#traced(step, message.url, () =>
      authorizedExchange<HttpAnswer>((request) => client.request(request), this.#complete(message), {
        client,
        scheme,
        challenges,
        challengesOf,
        certificateOf: (answer) => answer.serverCertificate,
      }),
    );
  }

  /** Whether the credential may go to `url`: https, a trusted host, and one that the scheme itself accepts. */
  maySignIn(url: URL): boolean {
    const { scheme, policy } = this.options;
    return scheme !== undefined && url.protocol === 'https:' && policy.tierOf(url) !== undefined && scheme.accepts(url);
  }

  #request(message: Message): Promise<HttpAnswer> {
    return this.options.client.request(this.#complete(message));
  }
  #complete(message: Message): HttpRequest {
    const { signal, stepTimeoutMs } = this.options;
    return { ...message, signal, timeoutMs: stepTimeoutMs };
  }

  async #traced(step: StepName, url: URL, send: () => Promise<HttpAnswer | undefined>): Promise<Sent> {
    const end = this.trace.start(step, url);
    try {
      const answer = await send();
      if (answer) return { answer, end: (outcome, more) => end(outcome, { ...more, status: answer.status }) };
      end('no-credentials');
      return { failed: 'no-credentials' };
    } catch (error) {
      if (!(error instanceof TransportFailure)) {
        end(this.options.signal.aborted ? 'aborted' : 'sign-in-failed');
        throw error;
      }
      end(error.kind, { detail: error.message });
      return { failed: error.kind };
    }
  }
}
