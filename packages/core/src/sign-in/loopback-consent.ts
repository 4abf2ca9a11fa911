import { AuthorizationDeniedError, TimeoutError, TokenryError } from '../errors.js';
import { invalidArgument, outOfRange, strictOptions } from '../options.js';
import type { ConsentHandler, ConsentListener, ConsentRequest, ListenOptions } from './consent.js';
import { type Arrival, LoopbackServer } from './loopback-server.js';
import { openSystemBrowser } from './open-browser.js';
import { customPageHeaders, pageHeaders, renderPage } from './pages.js';

export interface LoopbackConsentOptions {
  /** Port to listen on. @default 0, which takes a free one: right for "Mobile and desktop" registrations of http://localhost */
  readonly port?: number;
  /** Path of the registered redirect URI. @default '/' */
  readonly path?: string;
  /** Brings the person to the URL. @default opens the system's browser, and writes the URL to the standard error stream on a terminal or when that fails */
  readonly openBrowser?: (url: string) => Promise<void>;
  /** HTML shown when the sign-in is complete. @default a page of ours */
  readonly successPage?: string;
  /** HTML shown when it failed. @default a page of ours that says why */
  readonly errorPage?: string;
  /** How long to wait for the person, in milliseconds. @default 600000 */
  readonly timeoutMs?: number;
}

const NAMES = ['port', 'path', 'openBrowser', 'successPage', 'errorPage', 'timeoutMs'];
const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * A consent handler that opens the browser and listens on 127.0.0.1 for its return. A `redirectUri` given to
 * `authenticate()` decides about port and path; otherwise the options do.
 * @throws TypeError, RangeError for options that cannot work
 * @example
 * ```ts
 * await account.authenticate({ handleConsent: loopbackConsent({ port: 8400, path: '/signed-in' }) });
 * ```
 */
export function loopbackConsent(options: LoopbackConsentOptions = {}): ConsentHandler {
  const checked = checkedOptions(options);
  const listen = (wish: ListenOptions) => LoopbackListener.open(checked, wish);
  const handler = async (request: ConsentRequest): Promise<string> => {
    const { redirectUri, signal } = request;
    const listener = await listen({ redirectUri, ...(signal === undefined ? {} : { signal }) });
    let outcome: { readonly error?: unknown } = {};
    try {
      return await listener.receive(request);
    } catch (error) {
      outcome = { error };
      throw error;
    } finally {
      await listener.settle(outcome);
    }
  };
  return Object.freeze(Object.assign(handler, { listen }));
}

type Checked = Readonly<Required<Pick<LoopbackConsentOptions, 'port' | 'path' | 'openBrowser' | 'timeoutMs'>>> &
  Pick<LoopbackConsentOptions, 'successPage' | 'errorPage'>;

function checkedOptions(options: LoopbackConsentOptions): Checked {
  const own = strictOptions('loopbackConsent', options, NAMES);
  const { port = 0, path = '/', openBrowser = openSystemBrowser, timeoutMs = 600_000 } = own;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw outOfRange('loopbackConsent: port must be between 0 and 65535.');
  if (!path.startsWith('/') || /[?#]/.test(path))
    throw invalidArgument('loopbackConsent: path must start with "/" and have no query.');
  if (!(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS))
    throw outOfRange(`loopbackConsent: timeoutMs must be between 1 and ${MAX_TIMEOUT_MS}.`);
  return { ...own, port, path, openBrowser, timeoutMs };
}

class LoopbackListener implements ConsentListener {
  readonly redirectUri: string;
  readonly #options: Checked;
  readonly #server: LoopbackServer;
  #arrival: Arrival | undefined;

  private constructor(options: Checked, server: LoopbackServer, redirectUri: string) {
    this.#options = options;
    this.#server = server;
    this.redirectUri = redirectUri;
  }

  static async open(options: Checked, wish: ListenOptions): Promise<LoopbackListener> {
    wish.signal?.throwIfAborted();
    const { port, path, host } = placeOf(options, wish.redirectUri);
    const server = await LoopbackServer.open({ port, path });
    return new LoopbackListener(options, server, wish.redirectUri ?? redirectUriOf(host, server.port, path));
  }

  async receive({ url, signal }: ConsentRequest): Promise<string> {
    const arrival = this.#server.arrival(new URL(url).searchParams.get('state') ?? '');
    const wait = new Deadline(this.#options.timeoutMs, signal);
    try {
      this.#arrival = await Promise.race([arrival, wait.over, this.#open(url, arrival)]);
    } finally {
      wait.end();
    }
    // A form post is turned into the URL that a query redirect would have had.
    const redirected = new URL(this.redirectUri);
    redirected.search = this.#arrival.parameters.toString();
    return redirected.href;
  }

  async settle(outcome: { readonly error?: unknown }): Promise<void> {
    try {
      const refusal = this.#arrival?.parameters.has('error') ?? false;
      await (outcome.error !== undefined || refusal ? this.#showError(outcome.error) : this.#showSuccess());
    } finally {
      await this.#server.close();
    }
  }

  /** Ends the wait only when the browser cannot be opened: it may well return after the redirect, even with the page. */
  async #open<T>(url: string, arrival: Promise<T>): Promise<T> {
    await this.#options.openBrowser(url);
    return arrival;
  }

  async #showSuccess(): Promise<void> {
    const { successPage } = this.#options;
    if (successPage !== undefined) return this.#arrival?.answer(successPage, customPageHeaders());
    const page = { title: 'You are signed in', text: 'You can close this window and go back to the program.', good: true };
    await this.#arrival?.answer(renderPage(page), pageHeaders());
  }

  async #showError(error: unknown): Promise<void> {
    const { errorPage } = this.#options;
    if (errorPage !== undefined) return this.#arrival?.answer(errorPage, customPageHeaders());
    // Only our own messages: they hold nothing secret, and nothing that somebody put into the URL.
    const text = TokenryError.is(error) ? error.message : 'The sign-in did not succeed. The program that started it knows more.';
    const hint = AuthorizationDeniedError.is(error) ? error.correlationId && `Correlation id: ${error.correlationId}` : undefined;
    await this.#arrival?.answer(renderPage({ title: 'Not signed in', text, hint, good: false }), pageHeaders());
  }
}

function placeOf(options: Checked, redirectUri: string | undefined): { port: number; path: string; host: string } {
  if (redirectUri === undefined) return { port: options.port, path: options.path, host: 'localhost' };
  const url = URL.parse(redirectUri);
  if (url?.protocol !== 'http:' || !['localhost', '127.0.0.1'].includes(url.hostname))
    throw invalidArgument(
      'loopbackConsent: redirectUri must be on this machine, such as "http://localhost:8400/". Use pasteConsent() for others.',
    );
  return { port: Number(url.port || 80), path: url.pathname, host: url.hostname };
}

function redirectUriOf(host: string, port: number, path: string): string {
  // Entra compares the path as text: http://localhost:1234 fits a registered http://localhost, with a slash as without.
  return `http://${host}:${port}${path === '/' ? '' : path}`;
}

/** Ends a wait by time or by signal, and leaves no timer or listener behind. */
class Deadline {
  readonly over: Promise<never>;
  readonly #end: () => void;

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new TimeoutError(`Nobody finished the sign-in in the browser within ${timeoutMs} ms.`, { timeoutMs })),
      timeoutMs,
    );
    const abort = () => reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    // Seen by whoever races it; a deadline that nobody awaits any more is no error.
    promise.catch(() => {});
    this.over = promise;
    this.#end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  end(): void {
    this.#end();
  }
}
