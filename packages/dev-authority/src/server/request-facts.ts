import type { IncomingMessage } from 'node:http';
import type { ClientRequest } from './client-registry.js';
import type { RecordedCall } from './recorder.js';
import type { Refusal } from './refusal.js';

/** What the front has learned about a request and oidc-provider's callbacks need to know. */
export interface RequestFacts extends ClientRequest {
  /** The `scope` parameter as it was sent. */
  readonly scope?: string | undefined;
  readonly call?: RecordedCall;
  /** Break the connection instead of answering, once the tokens exist. */
  readonly resetAfterCommit?: boolean;
  /** Set when the grant is refused. */
  refusal?: Refusal;
  /** Set when a refresh token grant succeeds or a person is known. */
  username?: string;
}

const FACTS = new WeakMap<IncomingMessage, RequestFacts>();

export const rememberFacts = (request: IncomingMessage, facts: RequestFacts): void => void FACTS.set(request, facts);
export const factsOf = (request: IncomingMessage | undefined): RequestFacts | undefined =>
  request === undefined ? undefined : FACTS.get(request);
