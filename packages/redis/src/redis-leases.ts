import { invalidArgument, type LeaseProvider, type LeaseRequest, strictOptions } from '@tokenry/core/backend';
import { RedisConnection } from './connection.js';
import { LeaseKeys } from './lease-keys.js';
import { LEASES_OPTIONS, type RedisLeasesOptions, resolveConnection } from './options.js';

/**
 * Leases in Redis for a backend that keeps its records elsewhere, such as in Secrets Manager: at most one process at a time
 * spends a refresh token. Asks Redis on first use.
 *
 * @example
 * ```ts
 * const tokenBackend = new SecretsManagerTokenBackend({ leases: new RedisLeases({ client }) });
 * ```
 */
export class RedisLeases implements LeaseProvider {
  readonly #connection: RedisConnection;
  readonly #leases: LeaseKeys;

  /** @throws TypeError for an unknown option, or for a `client` that is none. */
  constructor(options: RedisLeasesOptions = {}) {
    const { keyPrefix = '', ...connection } = strictOptions('RedisLeases', options, LEASES_OPTIONS);
    if (typeof keyPrefix !== 'string') throw invalidArgument('keyPrefix must be a string.');
    this.#connection = new RedisConnection(resolveConnection(connection));
    this.#leases = new LeaseKeys(this.#connection, keyPrefix);
  }

  tryAcquire(name: string, request: LeaseRequest): ReturnType<LeaseProvider['tryAcquire']> {
    return this.#leases.tryAcquire(name, request);
  }

  renew(name: string, request: LeaseRequest): Promise<boolean> {
    return this.#leases.renew(name, request);
  }

  release(name: string, request: LeaseRequest): Promise<void> {
    return this.#leases.release(name, request);
  }

  /** Closes the client that `clientOptions` made; an injected one stays open. */
  async close(): Promise<void> {
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
