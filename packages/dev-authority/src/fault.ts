/** Something that goes wrong on purpose. The first fault that matches a request and is not used up is applied. */
export interface Fault {
  readonly endpoint: 'token' | 'authorize' | 'devicecode' | 'graph';
  /** Only token requests with this `grant_type`. */
  readonly grantType?: string;
  /** Only requests of this client. */
  readonly clientId?: string;
  /** Only requests whose path contains this. */
  readonly path?: string;
  /** Requests to let pass before the fault begins. @default 0 */
  readonly skip?: number;
  /** How many requests it hits. @default until it is removed */
  readonly times?: number;
  /** OAuth error (or Graph error code) to answer with. */
  readonly error?: string;
  readonly suberror?: string;
  /** AADSTS numbers; the description then starts with the first one. */
  readonly errorCodes?: readonly number[];
  /** Claims challenge: JSON for the token endpoint's `claims`, or for Graph's `WWW-Authenticate`. */
  readonly claims?: string;
  /** HTTP status. @default 400 for token errors, 429 with `retryAfterSeconds`, 401 for Graph claims, otherwise 500 */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  /** Waits this long before the request is worked on, or before the error is answered. */
  readonly delayMs?: number;
  /** Breaks the connection: before anything happened, or after the tokens were issued and the old one spent. */
  readonly reset?: 'before' | 'after-commit';
}

/** Handle on a fault that was added. */
export interface FaultHandle {
  /** How many requests it has hit so far. */
  readonly hits: number;
  /** Ends it. Requests that it already holds are not released early. */
  remove(): void;
}
