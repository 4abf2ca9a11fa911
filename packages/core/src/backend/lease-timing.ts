/** How long leases live and how patiently they are waited for. */
export interface LeaseTiming {
  /** A holder that is silent for this long has lost the lease. @default 60_000 */
  readonly ttlMs: number;
  /** How often a holder shows that it lives. @default 20_000 */
  readonly renewEveryMs: number;
  /** How long to wait for somebody else's lease. @default 90_000 */
  readonly waitMs: number;
}

export const defaultLeaseTiming: LeaseTiming = Object.freeze({ ttlMs: 60_000, renewEveryMs: 20_000, waitMs: 90_000 });

/** The right to spend one refresh token, for a limited time; it renews itself until released or lost. */
export interface Lease {
  /** Names this holder: `host:pid:uuid`. */
  readonly owner: string;
  /** True once somebody else may hold it. */
  readonly lost: boolean;
  /** Milliseconds left on the monotonic clock since the last proven renewal; 0 when lost. */
  remainingMs(): number;
  /** Gives the lease back. Never rejects: a lease that could not be released ends by itself. */
  release(): Promise<void>;
}
