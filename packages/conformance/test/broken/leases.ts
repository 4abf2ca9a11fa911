import { BackendUnavailableError, ConditionalWriteLeases, type LeaseProvider, type LeaseRequest } from '@tokenry/core/backend';
import { type SharedMap, SharedMapBackend } from '../shared-map.js';
import { broken } from './backend.js';

interface Held {
  readonly owner: string;
  readonly until: number;
}
type Answer = Awaited<ReturnType<LeaseProvider['tryAcquire']>>;

const held = new WeakMap<SharedMap, Map<string, Held>>();

/** Sound: leases in the map's memory, on the map's clock. */
class MapLeases implements LeaseProvider {
  readonly map: SharedMap;

  constructor(map: SharedMap) {
    this.map = map;
    if (!held.has(map)) held.set(map, new Map());
  }

  get all(): Map<string, Held> {
    return held.get(this.map) ?? new Map();
  }

  async tryAcquire(name: string, request: LeaseRequest): Promise<Answer> {
    await this.map.arrive(request.signal);
    return this.holderOf(name) ?? this.take(name, request);
  }

  async renew(name: string, { owner, ttlMs, signal }: LeaseRequest): Promise<boolean> {
    await this.map.arrive(signal);
    if (this.all.get(name)?.owner !== owner) return false;
    this.all.set(name, { owner, until: performance.now() + ttlMs });
    return true;
  }

  async release(name: string, { owner, signal }: LeaseRequest): Promise<void> {
    await this.map.arrive(signal);
    if (this.all.get(name)?.owner === owner) this.all.delete(name);
  }

  holderOf(name: string): Answer | undefined {
    const now = this.all.get(name);
    return now && performance.now() < now.until ? { acquired: false, holder: now.owner, version: String(now.until) } : undefined;
  }

  take(name: string, { owner, ttlMs }: LeaseRequest): Answer {
    this.all.set(name, { owner, until: performance.now() + ttlMs });
    return { acquired: true };
  }
}

class ReleasesForAnybody extends MapLeases {
  override async release(name: string, { signal }: LeaseRequest): Promise<void> {
    await this.map.arrive(signal);
    this.all.delete(name);
  }
}

class RenewsForAnybody extends MapLeases {
  override async renew(name: string, { ttlMs, signal }: LeaseRequest): Promise<boolean> {
    await this.map.arrive(signal);
    const now = this.all.get(name);
    if (now) this.all.set(name, { owner: now.owner, until: performance.now() + ttlMs });
    return now !== undefined;
  }
}

class RacesForAbandonedLeases extends MapLeases {
  override async tryAcquire(name: string, request: LeaseRequest): Promise<Answer> {
    await this.map.arrive(request.signal);
    const refusal = this.holderOf(name);
    if (refusal) return refusal;
    // As lock files do it: what is stale is removed first, whoever may have taken it since.
    const stale = this.all.has(name);
    await this.map.arrive(request.signal);
    return (stale ? undefined : this.holderOf(name)) ?? this.take(name, request);
  }
}

class NeverExpire extends MapLeases {
  override holderOf(name: string): Answer | undefined {
    const now = this.all.get(name);
    return now && { acquired: false, holder: now.owner, version: String(now.until) };
  }
}

class ExpireAlthoughRenewed extends MapLeases {
  override async renew(name: string, { owner, signal }: LeaseRequest): Promise<boolean> {
    await this.map.arrive(signal);
    return this.all.get(name)?.owner === owner;
  }
}

/** The first time that it refuses `job-1`, its answer is under way for longer than the test looks. */
class ExpireWhileNobodyLooks extends ExpireAlthoughRenewed {
  #slow = true;
  override async tryAcquire(name: string, request: LeaseRequest): Promise<Answer> {
    const answer = await super.tryAcquire(name, request);
    if (answer.acquired || name !== 'job-1' || !this.#slow) return answer;
    this.#slow = false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(4 * request.ttlMs, 1_600)));
    return answer;
  }
}

class NameNobody extends MapLeases {
  override holderOf(name: string): Answer | undefined {
    const refusal = super.holderOf(name);
    return refusal && { acquired: false, holder: 'somebody', version: '' };
  }
}

class OnePerProcess extends MapLeases {
  readonly #mine = new Map<string, Held>();
  override get all(): Map<string, Held> {
    return this.#mine;
  }
}

class GrantsInAnOutage extends MapLeases {
  override async tryAcquire(name: string, request: LeaseRequest): Promise<Answer> {
    return super.tryAcquire(name, request).catch((error: unknown) => {
      if (BackendUnavailableError.is(error)) return { acquired: true };
      throw error;
    });
  }
}

type Leases = new (map: SharedMap) => LeaseProvider;

function withLeases(defect: string, Provider: Leases) {
  class Backend extends SharedMapBackend {
    protected override leaseProvider(): LeaseProvider {
      return new Provider(this.map);
    }
  }
  return broken(defect, (map, options) => new Backend(map, options));
}

/** Keeps its leases among the records, under names that token keys can have. */
class LeasesAmongRecords extends SharedMapBackend {
  protected override leaseProvider(): LeaseProvider {
    const named = (name: string) => `lease-${name.slice(-32)}`;
    return new ConditionalWriteLeases({
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      records: {
        read: (name, options) => this.records.read(named(name), options),
        write: (name, data, options) => this.records.write(named(name), data, options),
      },
    });
  }
}

export const soundLeases = withLeases('none', MapLeases);

export const brokenLeases = [
  withLeases('releases the leases of strangers', ReleasesForAnybody),
  withLeases('renews the leases of strangers', RenewsForAnybody),
  withLeases('lets two contenders take over one abandoned lease', RacesForAbandonedLeases),
  withLeases('never frees an abandoned lease', NeverExpire),
  withLeases('lets a renewed lease expire', ExpireAlthoughRenewed),
  withLeases('lets a renewed lease expire while nobody looks', ExpireWhileNobodyLooks),
  withLeases('does not say who holds a lease', NameNobody),
  withLeases('grants leases while its store is down', GrantsInAnOutage),
  withLeases('claims leases that hold in one instance only', OnePerProcess),
  broken('shows its leases among the records', (map, options) => new LeasesAmongRecords(map, options)),
];
