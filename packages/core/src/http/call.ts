import type { Dispatcher } from 'undici';
import { TimeoutError } from '../errors.js';
import { notSentError, withoutValues } from './network-errors.js';

export interface CallOptions {
  /** Origin of the request, for messages. */
  readonly target: string;
  readonly callerSignal: AbortSignal | undefined;
  /** The connections' own deadline, for messages. */
  readonly timeoutMs: number;
  /** Longest time until the last byte of the answer. */
  readonly wholeAnswerMs?: number;
}

/** What became of one call: its deadlines, its abort, and whether anything was sent. */
export class Call {
  readonly #controller = new AbortController();
  readonly #options: CallOptions;
  readonly #deadline: NodeJS.Timeout | undefined;
  #dispatched = false;
  #sent = false;
  #answered = false;
  #open = 0;
  readonly #end = Promise.withResolvers<void>();

  constructor(options: CallOptions) {
    this.#options = options;
    const { callerSignal, wholeAnswerMs } = options;
    if (callerSignal?.aborted) this.#abortForCaller();
    callerSignal?.addEventListener('abort', this.#abortForCaller, { once: true });
    if (wholeAnswerMs === undefined) return;
    this.#deadline = setTimeout(() => this.#timeOut('its complete answer', wholeAnswerMs), wholeAnswerMs);
    // The socket holds the process while the call is under way; the timer need not.
    this.#deadline.unref();
  }

  /** Resolves when the last byte of the answer is here, or never will be. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** Aborts with the caller's reason, or with our own `TimeoutError`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Passes everything on to `handler`, taking notes. */
  follow(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    this.#dispatched = true;
    this.#open += 1;
    return {
      // undici calls this when a connection stands and the request's first byte is about to be written.
      onRequestStart: (controller, context) => {
        this.#sent = true;
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (controller, status, headers, socket) => handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStarted: () => handler.onResponseStarted?.(),
      onResponseStart: (controller, status, headers, text) => handler.onResponseStart?.(controller, status, headers, text),
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => {
        handler.onResponseEnd?.(controller, trailers);
        this.#closed();
      },
      onResponseError: (controller, error) => {
        this.#noteTimeout(error);
        handler.onResponseError?.(controller, error);
        this.#closed();
      },
      onBodySent: (chunk) => handler.onBodySent?.(chunk),
      onRequestSent: () => handler.onRequestSent?.(),
    };
  }

  /** The headers are there. */
  answered(): void {
    this.#answered = true;
    if (this.#open === 0) this.finish();
  }

  /** Lets go of the timer and of the caller's signal, which may outlive thousands of calls. */
  finish(): void {
    clearTimeout(this.#deadline);
    this.#options.callerSignal?.removeEventListener('abort', this.#abortForCaller);
    this.#end.resolve();
  }

  /** What the caller gets to see of `error`. */
  translate(error: unknown): unknown {
    if (this.#options.callerSignal?.aborted || this.#sent) return error;
    // Without a dispatch and without a deadline passed, the platform refused the arguments.
    if (!this.#dispatched && !TimeoutError.is(error)) return withoutValues(error);
    return notSentError(error, this.#options.target);
  }

  readonly #abortForCaller = (): void => this.#controller.abort(this.#options.callerSignal?.reason);

  /** Aborting first makes the caller, or whoever reads the body, see our error instead of undici's. */
  #noteTimeout(error: Error): void {
    const code = 'code' in error ? error.code : undefined;
    if (!this.#sent) return;
    if (code === 'UND_ERR_HEADERS_TIMEOUT') this.#timeOut('its answer', this.#options.timeoutMs);
    if (code === 'UND_ERR_BODY_TIMEOUT') this.#timeOut('the next piece of its answer', this.#options.timeoutMs);
  }

  #timeOut(what: string, timeoutMs: number): void {
    const message = `${this.#options.target} did not send ${what} within ${timeoutMs} ms.`;
    this.#controller.abort(new TimeoutError(message, { timeoutMs }));
  }

  #closed(): void {
    this.#open -= 1;
    // A redirect that the platform follows opens another exchange before it answers.
    if (this.#answered && this.#open === 0) this.finish();
  }
}
