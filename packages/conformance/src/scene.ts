import type { BackendCapabilities, BaseTokenBackendOptions, TokenBackend } from '@tokenry/core/backend';
import type { StoreDescription } from './describe-store.js';
import type { TestStore } from './test-store.js';

type Claim = 'shared' | 'conditionalWrites' | 'leases';

/** One test's store, and every instance opened on it. */
export class Scene {
  readonly store: TestStore;
  readonly description: StoreDescription;
  readonly leaseTtlMs: number;
  readonly #opened: Promise<TokenBackend>[] = [];

  constructor(store: TestStore, description: StoreDescription, leaseTtlMs: number) {
    this.store = store;
    this.description = description;
    this.leaseTtlMs = leaseTtlMs;
  }

  get capabilities(): BackendCapabilities {
    return this.description.capabilities;
  }

  /** One more instance; closed when the test ends. */
  async open(options: BaseTokenBackendOptions = {}): Promise<TokenBackend> {
    const opening = this.store.open(options);
    this.#opened.push(opening);
    return opening;
  }

  /**
   * `count` parties to one store: instances of their own where the store claims that `claim` holds between instances,
   * else one instance that all of them use.
   */
  async peers(count: number, claim: Claim, options: BaseTokenBackendOptions = {}): Promise<readonly TokenBackend[]> {
    const first = await this.open(options);
    const apart = this.capabilities.shared && this.capabilities[claim];
    const others = Array.from({ length: count - 1 }, async () => (apart ? this.open(options) : first));
    return [first, ...(await Promise.all(others))];
  }

  /** Two parties: see `peers`. */
  async pair(claim: Claim, options: BaseTokenBackendOptions = {}): Promise<readonly [TokenBackend, TokenBackend]> {
    const [first, second] = await this.peers(2, claim, options);
    if (!first || !second) throw new Error('unreachable: two peers were opened');
    return [first, second];
  }

  /** Breaks the store, does `work`, and mends the store whatever happened: `destroy` must find one that works. */
  async during<T>(fault: 'unreachable' | 'denied', work: () => Promise<T>): Promise<T> {
    const recover = await this.store.faults?.[fault]?.();
    if (!recover) throw new Error(`faults.${fault} is gone, although the description of the store names it`);
    try {
      return await work();
    } finally {
      await recover();
    }
  }

  /** Closes every instance, those too that are still being opened, then destroys the store, whatever fails on the way. */
  async dispose(): Promise<void> {
    // The test has heard already which ones could not be opened.
    const opened = (await Promise.allSettled(this.#opened)).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const closed = await Promise.allSettled(opened.map(async (backend) => backend.close()));
    await this.store.destroy();
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
