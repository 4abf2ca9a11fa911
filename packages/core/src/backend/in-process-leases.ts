import { type Clock, systemClock } from '../clock.js';
import type { LeaseProvider, LeaseRequest } from './token-backend.js';

interface Holding {
  readonly owner: string;
  readonly until: number;
  readonly count: number;
}

/** Leases among the callers of this process; for stores that no other process sees. */
export class InProcessLeases implements LeaseProvider {
  readonly #held = new Map<string, Holding>();
  readonly #clock: Clock;
  #count = 0;

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  async tryAcquire(name: string, { owner, ttlMs, signal }: LeaseRequest) {
    signal?.throwIfAborted();
    const now = this.#held.get(name);
    if (now && this.#clock.monotonic() < now.until)
      return { acquired: false, holder: now.owner, version: String(now.count) } as const;
    this.#hold(name, owner, ttlMs);
    return { acquired: true } as const;
  }

  async renew(name: string, { owner, ttlMs, signal }: LeaseRequest): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#held.get(name)?.owner !== owner) return false;
    this.#hold(name, owner, ttlMs);
    return true;
  }

  async release(name: string, { owner }: LeaseRequest): Promise<void> {
    if (this.#held.get(name)?.owner === owner) this.#held.delete(name);
  }

  #hold(name: string, owner: string, ttlMs: number): void {
    this.#held.set(name, { owner, until: this.#clock.monotonic() + ttlMs, count: ++this.#count });
  }
}
