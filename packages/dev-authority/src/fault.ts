import { checkNames } from './check-names.js';

/** Something that goes wrong on purpose. The first fault that matches a request and is not used up is applied. */
export interface Fault {
  readonly endpoint: 'token' | 'authorize' | 'devicecode' | 'graph';
  /** Only requests with this `grant_type`; for the token endpoint alone. */
  readonly grantType?: string;
  /** Only requests of this client. */
  readonly clientId?: string;
  /** Only requests whose path contains this. */
  readonly path?: string;
  /** Requests to let pass before the fault begins. @default 0 */
  readonly skip?: number;
  /** How many requests it hits, from 1. @default until it is removed */
  readonly times?: number;
  /** OAuth error (or Graph error code) to answer with. */
  readonly error?: string;
  readonly suberror?: string;
  /** AADSTS numbers; the description then starts with the first one. */
  readonly errorCodes?: readonly number[];
  /** Claims challenge: JSON for the token endpoint's `claims`, or for Graph's `WWW-Authenticate`. */
  readonly claims?: string;
  /** HTTP status. @default 429 with `retryAfterSeconds`, 401 for Graph claims, 400 with `error` or `claims` */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  /** Waits this long before the request is worked on, or before the error is answered. */
  readonly delayMs?: number;
  /**
   * Breaks the connection: before anything happened, or, at the token endpoint and the API, after it: the tokens were issued
   * and the old one spent.
   */
  readonly reset?: 'before' | 'after-commit';
}

/** Handle on a fault that was added. */
export interface FaultHandle {
  /** How many requests it has hit so far. */
  readonly hits: number;
  /** Ends it. Requests that it already holds are not released early. */
  remove(): void;
}

const ENDPOINTS: readonly unknown[] = ['token', 'authorize', 'devicecode', 'graph'] satisfies readonly Fault['endpoint'][];
const NAMES = [
  'endpoint',
  'grantType',
  'clientId',
  'path',
  'skip',
  'times',
  'error',
  'suberror',
  'errorCodes',
  'claims',
  'status',
  'retryAfterSeconds',
  'delayMs',
  'reset',
] as const satisfies readonly (keyof Fault)[];

/**
 * A misspelt fault would never happen, or always, and a test on it would prove nothing.
 * @throws TypeError for an unknown name, endpoint or kind of reset, and for what cannot come together
 */
export function checkFault(fault: Fault): void {
  checkNames('fault', fault, NAMES);
  if (!ENDPOINTS.includes(fault.endpoint)) throw new TypeError(`A fault's endpoint must be one of ${ENDPOINTS.join(', ')}.`);
  if (fault.reset !== undefined && !['before', 'after-commit'].includes(fault.reset))
    throw new TypeError("A fault's reset must be 'before' or 'after-commit'.");
  if (fault.reset === 'after-commit' && !['token', 'graph'].includes(fault.endpoint))
    throw new TypeError("A fault's reset can be 'after-commit' at the endpoints token and graph only.");
  if (fault.grantType !== undefined && fault.endpoint !== 'token')
    throw new TypeError('Only requests to the endpoint token have a grantType.');
  checkCount('times', fault.times ?? 1, 1);
  checkCount('skip', fault.skip ?? 0, 0);
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new TypeError(`A fault's ${name} must be a whole number from ${least}.`);
}
