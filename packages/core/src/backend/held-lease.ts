import { type Clock, sleep } from '../clock.js';
import { TokenryError } from '../errors.js';
import { emit } from '../observability/events.js';
import type { Lease, LeaseTiming } from './lease-timing.js';
import type { LeaseProvider, LeaseRequest } from './token-backend.js';

export interface HeldLeaseOptions {
  readonly provider: LeaseProvider;
  readonly name: string;
  readonly owner: string;
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  /** Monotonic instant from which the first TTL counts. */
  readonly provenAt: number;
}

/** A reason of our own: the platform's default is an error with a stack, made anew for every release. */
const RELEASED = 'released';

/** A lease that was granted: renews itself, knows when it is lost. */
export class HeldLease implements Lease {
  readonly #options: HeldLeaseOptions;
  readonly #stop = new AbortController();
  readonly #heartbeat: Promise<void>;
  #provenAt: number;
  #refused = false;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
    this.#provenAt = options.provenAt;
    this.#heartbeat = this.#beat();
  }

  get owner(): string {
    return this.#options.owner;
  }

  get lost(): boolean {
    return this.remainingMs() <= 0;
  }

  remainingMs(): number {
    if (this.#refused) return 0;
    const { clock, timing } = this.#options;
    return Math.max(0, this.#provenAt + timing.ttlMs - clock.monotonic());
  }

  async release(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(RELEASED);
    // A renewal still on its way would otherwise arrive after the release, and take the lease again.
    await this.#heartbeat;
    const { provider, name } = this.#options;
    try {
      await provider.release(name, this.#request());
      emit('lease', () => ({ name, action: 'released' }));
    } catch (error) {
      emit('fault', () => ({ operation: 'lease', code: codeOf(error) }));
    }
  }

  async #beat(): Promise<void> {
    const { clock, timing } = this.#options;
    const { signal } = this.#stop;
    let pauseMs = timing.renewEveryMs;
    while (!signal.aborted && !this.#refused) {
      await sleep(clock, pauseMs, { signal }).catch(() => {});
      if (signal.aborted) return;
      // A renewal that failed for now is repeated sooner: the TTL is running.
      pauseMs = (await this.#renew()) ? timing.renewEveryMs : Math.max(1, timing.renewEveryMs / 4);
    }
  }

  async #renew(): Promise<boolean> {
    const { provider, name, clock } = this.#options;
    const askedAt = clock.monotonic();
    try {
      const renewed = await provider.renew(name, this.#request());
      if (renewed) this.#provenAt = askedAt;
      else this.#refused = true;
      emit('lease', () => ({ name, action: renewed ? 'renewed' : 'lost' }));
      return true;
    } catch (error) {
      emit('fault', () => ({ operation: 'lease', code: codeOf(error) }));
      return false;
    }
  }

  #request(): LeaseRequest {
    return { owner: this.#options.owner, ttlMs: this.#options.timing.ttlMs };
  }
}

function codeOf(error: unknown): string {
  return TokenryError.is(error) ? error.code : 'TOKENRY_UNKNOWN';
}
