import { invalidArgument, outOfRange, strictOptions } from '../options.js';
import { attempt } from './attempt.js';
import { type Network, openNetwork } from './network.js';
import { type ProxyOptions, proxyUrl } from './proxy.js';

export interface TransportOptions {
  /** Certificates in PEM that are trusted besides the ones Node.js trusts already. */
  readonly ca?: string;
  /**
   * A proxy's URL, or its parts; `false` for none.
   * @default what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say at the first request
   */
  readonly proxy?: string | false | ProxyOptions;
  /**
   * Longest wait for an answer's headers, and then for each next piece of its body; for `tokenFetch`, longest time for the
   * whole answer. Milliseconds. @default 30_000
   */
  readonly timeoutMs?: number;
  /** Longest time for name lookup, TCP, proxy tunnel and TLS. Milliseconds. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** `false` accepts any certificate: for a debugging proxy on your own machine, never elsewhere. @default true */
  readonly verifyTls?: boolean;
}

/** The names of `TransportOptions`, for owners that pass them through. */
export const TRANSPORT_OPTIONS = [
  'ca',
  'proxy',
  'timeoutMs',
  'connectTimeoutMs',
  'verifyTls',
] as const satisfies readonly (keyof TransportOptions)[];

const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * The way out: proxy, certificates, time-outs and a pool of connections, for token endpoints and APIs alike.
 *
 * `fetch` makes exactly one attempt and otherwise behaves like the platform's, whose `Response` it returns. It rejects with
 * `NotSentError` when nothing left this machine, `TimeoutError` for the deadlines above, the signal's reason on abort, and
 * the platform's own `TypeError` when a request was sent and not answered.
 */
export class Transport {
  readonly #timeoutMs: number;
  readonly #open: () => Network;
  #network: Network | undefined;

  /** No I/O happens here. @throws TypeError or RangeError for options that cannot work. */
  constructor(options: TransportOptions = {}) {
    const checked = strictOptions('Transport', options, TRANSPORT_OPTIONS);
    const { ca, proxy, verifyTls = true } = checked;
    this.#timeoutMs = checkedMs('timeoutMs', checked.timeoutMs ?? 30_000);
    const connectTimeoutMs = checkedMs('connectTimeoutMs', checked.connectTimeoutMs ?? 10_000);
    checkCertificates(ca);
    const explicitProxy = proxy === undefined || proxy === false ? proxy : proxyUrl(proxy);
    this.#open = () => openNetwork({ ca, proxy: explicitProxy, timeoutMs: this.#timeoutMs, connectTimeoutMs, verifyTls });
  }

  /** One attempt. Between two pieces of the answer `timeoutMs` may pass, so long downloads are fine. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => attempt(this.#opened(), input, init);

  /** One attempt, its whole answer within `timeoutMs`: for token endpoints, whose lease must not run out meanwhile. */
  readonly tokenFetch: typeof globalThis.fetch = async (input, init) =>
    attempt(this.#opened(), input, init, { wholeAnswerMs: this.#timeoutMs });

  /**
   * Waits for requests that have no answer yet, then closes the connections; answers whose body nobody reads are cut off
   * after a second. A later call opens new ones.
   */
  async close(): Promise<void> {
    const network = this.#network;
    this.#network = undefined;
    await network?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #opened(): Network {
    this.#network ??= this.#open();
    return this.#network;
  }
}

function checkedMs(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 1 || value > LONGEST_TIMER_MS)
    throw outOfRange(`Transport: ${name} must be between 1 and ${LONGEST_TIMER_MS} milliseconds.`);
  return value;
}

function checkCertificates(ca: unknown): void {
  if (ca === undefined) return;
  if (typeof ca !== 'string' || !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw invalidArgument('Transport: ca must be certificates in PEM ("-----BEGIN CERTIFICATE-----…"), not the path of a file.');
}
