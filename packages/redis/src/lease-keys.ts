import { type LeaseProvider, type LeaseRequest, outOfRange } from '@tokenry/core/backend';
import type { RedisConnection } from './connection.js';
import { RedisKeys } from './redis-keys.js';
import { RELEASE, RENEW } from './scripts.js';

type Granted = { readonly acquired: true };
type Refused = { readonly acquired: false; readonly holder: string; readonly version: string };

/**
 * Leases as Redis keys: `SET NX PX` takes one, and Redis itself ends it. Renewing and releasing compare the owner in a
 * script, so that a holder who was away for too long touches nobody else's lease.
 */
export class LeaseKeys implements LeaseProvider {
  readonly #connection: RedisConnection;
  readonly #keyPrefix: string;

  constructor(connection: RedisConnection, keyPrefix: string) {
    this.#connection = connection;
    this.#keyPrefix = keyPrefix;
  }

  async tryAcquire(name: string, { owner, ttlMs, signal }: LeaseRequest): Promise<Granted | Refused> {
    const [key, ms] = [this.#key(name), wholeMs(ttlMs)];
    const take = { doing: `take the lease "${name}"`, signal };
    const set = await this.#connection.write(
      take,
      (client) => client.call('set', [key, owner, 'PX', ms, 'NX']),
      (answer) => answer === 'OK',
    );
    if (set.answer === 'OK') return { acquired: true };
    const get = await this.#connection.run(take, (client) => client.call('get', [key]));
    // Sent twice by an injected client: the first one got it. The owner's name is unique to this request.
    if (set.disturbed && get.answer === owner) return { acquired: true };
    const holder = typeof get.answer === 'string' ? get.answer : 'unknown';
    return { acquired: false, holder, version: holder };
  }

  async renew(name: string, { owner, ttlMs, signal }: LeaseRequest): Promise<boolean> {
    const ms = wholeMs(ttlMs);
    const { answer } = await this.#connection.write({ doing: `renew the lease "${name}"`, signal }, (client) =>
      RENEW.run(client, this.#key(name), [owner, ms]),
    );
    return answer === 1;
  }

  async release(name: string, { owner, signal }: LeaseRequest): Promise<void> {
    await this.#connection.run({ doing: `release the lease "${name}"`, signal }, (client) =>
      RELEASE.run(client, this.#key(name), [owner]),
    );
  }

  #key(name: string): string {
    return RedisKeys.ofLease(this.#keyPrefix, name);
  }
}

function wholeMs(ms: number): number {
  if (!Number.isFinite(ms)) throw outOfRange('ttlMs must be a number of milliseconds.');
  return Math.max(1, Math.ceil(ms));
}
