import { checkedSecret, type NormalisedCredentials, type Source } from '../application-credentials.js';
import type { Clock } from '../clock.js';
import { invalidArgument } from '../options.js';
import { NotSentError } from '../provider/token-endpoint-error.js';
import { AssertionSigner, openCertificate } from './client-assertion.js';
import { SharedReading } from './shared-reading.js';

/** How the program proves who it is in one token request; empty for public clients. */
export interface ClientAuthentication {
  readonly clientSecret?: string;
  readonly clientAssertion?: string;
}

/** How long what an async source answered is used before it is asked again. */
const SOURCE_REUSE_MS = 300_000;

interface Request {
  readonly tokenEndpoint: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Turns application credentials into what a token request carries. Async sources are asked again after five minutes, or
 * at once when the server says `invalid_client`: a rotated secret needs no restart.
 */
export class ClientAuthenticator {
  readonly #read: (request: Request) => Promise<ClientAuthentication>;
  readonly #forget: () => boolean;

  constructor(credentials: NormalisedCredentials) {
    const proof = credentials.proof();
    if (proof.kind === 'secret') {
      const secret = new Rereadable(proof.source, async (value) => checkedSecret(value));
      this.#read = async (request) => ({ clientSecret: await secret.get(request) });
      this.#forget = () => secret.forget();
    } else if (proof.kind === 'certificate') {
      const signer = new Rereadable(proof.source, async (value) => {
        return new AssertionSigner(credentials.clientId, await openCertificate(value));
      });
      this.#read = async (request) => {
        const { tokenEndpoint, clock } = request;
        return { clientAssertion: (await signer.get(request)).assertionFor(tokenEndpoint, clock.now()) };
      };
      this.#forget = () => signer.forget();
    } else {
      // An assertion callback is asked each time: it knows best how long its assertions live.
      this.#read = async (request) =>
        proof.kind === 'assertion' ? { clientAssertion: await askForAssertion(proof.callback, request) } : {};
      this.#forget = () => false;
    }
  }

  /**
   * What the next request carries.
   * @throws TypeError for credentials that cannot be used; NotSentError when their source failed.
   */
  current(request: Request): Promise<ClientAuthentication> {
    return this.#read(request);
  }

  /** Makes an async source be asked again; false if that cannot change anything. */
  forget(): boolean {
    return this.#forget();
  }
}

/** A value from a source, prepared once and kept for a while. Callers that come together share one reading. */
class Rereadable<T, Prepared> {
  readonly #source: Source<T>;
  readonly #prepare: (value: T) => Promise<Prepared>;
  #reading: SharedReading<Prepared> | undefined;
  #readAt = 0;

  constructor(source: Source<T>, prepare: (value: T) => Promise<Prepared>) {
    this.#source = source;
    this.#prepare = prepare;
  }

  get({ clock, signal }: Request): Promise<Prepared> {
    const now = clock.monotonic();
    const old = typeof this.#source === 'function' && now - this.#readAt > SOURCE_REUSE_MS;
    // A failed reading is not an answer to keep.
    if (old || !this.#reading?.isUsable) {
      this.#reading = new SharedReading(async (given) => this.#prepare(await read(this.#source, given)));
      this.#readAt = now;
    }
    return this.#reading.wait(signal);
  }

  forget(): boolean {
    if (typeof this.#source !== 'function') return false;
    this.#reading = undefined;
    return true;
  }
}

async function read<T>(source: Source<T>, signal: AbortSignal): Promise<T> {
  if (typeof source !== 'function') return source;
  try {
    return await (source as (options: { readonly signal?: AbortSignal }) => Promise<T>)({ signal });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new NotSentError('The source of the application credentials failed.', { cause });
  }
}

async function askForAssertion(
  callback: (options: { readonly tokenEndpoint: string; readonly signal?: AbortSignal }) => Promise<string>,
  { tokenEndpoint, signal }: Request,
): Promise<string> {
  let assertion: unknown;
  try {
    assertion = await callback(signal === undefined ? { tokenEndpoint } : { tokenEndpoint, signal });
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new NotSentError('The clientAssertion callback failed.', { cause });
  }
  if (typeof assertion === 'string' && assertion !== '') return assertion;
  throw invalidArgument('Credentials: the clientAssertion callback must return the assertion as a string.');
}
