import type { BaseTokenBackendOptions, TokenBackend } from '@tokenry/core/backend';

/** One empty store that belongs to one test, and ways to open, inspect, break and destroy it. */
export interface TestStore {
  /**
   * Another instance on this same store. Pass `options` on to your constructor: the kit injects encryption and key prefixes
   * through them. A backend that does not claim `shared` may answer with a separate store each time.
   */
  open(options: BaseTokenBackendOptions): Promise<TokenBackend>;
  /**
   * The bytes that the store really holds for `key`, read without the backend. The kit asks only for token keys of
   * `[a-z0-9-]`, whose record name is the key itself; add the prefix or suffix that your backend uses.
   */
  readRaw?(key: string): Promise<Uint8Array | undefined>;
  /** Ways to break the store for real. Each one left out leaves the claims that it would test unproven. */
  faults?: {
    /** Makes the store unreachable for every open instance; resolves to the way back. */
    unreachable?(): Promise<() => Promise<void>>;
    /** Makes the store refuse this program; resolves to the way back. */
    denied?(): Promise<() => Promise<void>>;
    /** Damages the stored bytes of `key` beneath the backend. Left out, the kit writes bytes that are no token cache. */
    corrupt?(key: string): Promise<void>;
  };
  /** Removes everything that `createStore` and the test made. Called once, after every instance was closed. */
  destroy(): Promise<void>;
}

/** Makes an empty store of its own for each test. */
export type CreateStore = () => Promise<TestStore>;
