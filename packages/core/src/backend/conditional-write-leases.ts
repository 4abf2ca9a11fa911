import type { Clock } from '../clock.js';
import { VersionConflictError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { emit } from '../observability/events.js';
import { RecentMap } from '../recent-map.js';
import { decodeLease, encodeLease, type LeaseRecord } from './lease-record.js';
import type { RawRecords, VersionedRecord } from './raw-records.js';
import type { Expectation, LeaseProvider, LeaseRequest } from './token-backend.js';

type Refusal = { readonly acquired: false; readonly holder: string; readonly version: string };

interface Watch {
  readonly version: string;
  /** Monotonic instant at which the read that first saw this version had ended. */
  readonly since: number;
}

interface Holding {
  readonly version: string;
  readonly counter: number;
}

/** How many foreign leases one process watches at a time; a forgotten watch only starts again. */
const MAX_WATCHES = 10_000;

/**
 * Leases on nothing but a store's conditional writes: one side record `=lease-<hash>` per lease.
 *
 * Clocks of different hosts are never compared. A lease is taken over only after this process has seen the same version
 * of its record for one whole TTL on its own monotonic clock; a living holder moves the counter well before that. A record
 * that cannot be understood counts as held by an unknown, and is taken over in the same way.
 *
 * A released lease stays as a small record without owner: a conditional removal is less widely honoured by stores than a
 * conditional write, and an unconditional one could remove the lease of the next holder.
 */
export class ConditionalWriteLeases implements LeaseProvider {
  readonly #records: Pick<RawRecords, 'read' | 'write'>;
  readonly #clock: Clock;
  readonly #watches = new RecentMap<string, Watch>(MAX_WATCHES);
  readonly #held = new Map<string, Holding>();

  constructor(options: { readonly records: Pick<RawRecords, 'read' | 'write'>; readonly clock: Clock }) {
    this.#records = options.records;
    this.#clock = options.clock;
  }

  async tryAcquire(name: string, request: LeaseRequest): Promise<{ readonly acquired: true } | Refusal> {
    const askedAt = this.#clock.monotonic();
    const found = await this.#read(name, request);
    if (found === undefined) return this.#take(name, request, { expect: 'absent', counter: 1 });
    const lease = decodeLease(found.data);
    const next = { expect: { version: found.version }, counter: (lease?.counter ?? 0) + 1 };
    if (lease && lease.owner === undefined) return this.#take(name, request, next);
    const watched = this.#watches.get(name);
    if (watched?.version !== found.version) {
      this.#watches.set(name, { version: found.version, since: this.#clock.monotonic() });
    } else if (askedAt - watched.since >= (lease?.ttlMs ?? request.ttlMs)) {
      return this.#take(name, request, next, () =>
        emit('lease', () => ({ name, action: 'taken-over', holder: holderOf(lease) })),
      );
    }
    return { acquired: false, holder: holderOf(lease), version: found.version };
  }

  async renew(name: string, request: LeaseRequest): Promise<boolean> {
    const key = holdingKey(name, request);
    let holding = this.#held.get(key) ?? (await this.#ownHolding(name, request));
    // A second round serves a renewal of our own whose answer was lost; a stranger's record ends it.
    while (holding) {
      const counter = holding.counter + 1;
      const version = await this.#write(
        name,
        { owner: request.owner, ttlMs: request.ttlMs, counter },
        { ...request, expect: { version: holding.version } },
      );
      if (version !== undefined) {
        this.#held.set(key, { version, counter });
        return true;
      }
      holding = await this.#ownHolding(name, request);
    }
    this.#held.delete(key);
    return false;
  }

  async release(name: string, request: LeaseRequest): Promise<void> {
    const key = holdingKey(name, request);
    let holding = this.#held.get(key) ?? (await this.#ownHolding(name, request));
    this.#held.delete(key);
    while (holding) {
      const released = { ttlMs: request.ttlMs, counter: holding.counter + 1 };
      if ((await this.#write(name, released, { ...request, expect: { version: holding.version } })) !== undefined) return;
      holding = await this.#ownHolding(name, request);
    }
  }

  async #take(
    name: string,
    request: LeaseRequest,
    next: { readonly expect: Expectation; readonly counter: number },
    taken?: () => void,
  ): Promise<{ readonly acquired: true } | Refusal> {
    const { owner, ttlMs } = request;
    const version = await this.#write(name, { owner, ttlMs, counter: next.counter }, { ...request, expect: next.expect });
    if (version === undefined) return this.#refusalAfterConflict(name, request);
    this.#watches.delete(name);
    this.#held.set(holdingKey(name, request), { version, counter: next.counter });
    taken?.();
    return { acquired: true };
  }

  async #refusalAfterConflict(name: string, request: LeaseRequest): Promise<Refusal> {
    const found = await this.#read(name, request);
    if (found === undefined) return { acquired: false, holder: 'unknown', version: '' };
    this.#watches.set(name, { version: found.version, since: this.#clock.monotonic() });
    return { acquired: false, holder: holderOf(decodeLease(found.data)), version: found.version };
  }

  async #ownHolding(name: string, request: LeaseRequest): Promise<Holding | undefined> {
    const found = await this.#read(name, request);
    if (found === undefined) return undefined;
    const lease = decodeLease(found.data);
    return lease?.owner === request.owner ? { version: found.version, counter: lease.counter } : undefined;
  }

  async #read(name: string, { signal }: LeaseRequest): Promise<VersionedRecord | undefined> {
    const found = await this.#records.read(leaseRecordName(name), signal ? { signal } : {});
    return found === 'not-modified' ? undefined : found;
  }

  /** The new version, or `undefined` when the record is no longer the expected one. */
  async #write(
    name: string,
    lease: LeaseRecord,
    options: LeaseRequest & { readonly expect: Expectation },
  ): Promise<string | undefined> {
    const { expect, signal } = options;
    try {
      return await this.#records.write(leaseRecordName(name), encodeLease(lease), signal ? { expect, signal } : { expect });
    } catch (error) {
      if (VersionConflictError.is(error)) return undefined;
      throw error;
    }
  }
}

function leaseRecordName(name: string): string {
  return `=lease-${nodeCrypto().createHash('sha256').update(name).digest('hex')}`;
}

function holderOf(lease: LeaseRecord | undefined): string {
  return lease?.owner ?? 'unknown';
}

function holdingKey(name: string, request: LeaseRequest): string {
  return `${request.owner}\n${name}`;
}
