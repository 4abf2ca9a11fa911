/**
 * python-o365's `LockableFileSystemTokenBackend`, ported: whoever gets a lock refreshes inside `shouldRefreshToken`, the
 * others wait for the token that turns up.
 *
 * Tokenry needs none of this: its own lease does the same for every backend. It shows how a backend brings a coordination of
 * its own, and what the original lacked: the lock is not the token file (which is replaced, never written over), its owner
 * is known and may die, and nobody sleeps through a refresh that has ended.
 */
import type { RefreshRequest } from '@tokenry/core';
import { systemClock } from '@tokenry/core';
import { acquireLease } from '@tokenry/core/backend';
import { FileSystemTokenBackend, type FileSystemTokenBackendOptions } from '@tokenry/filesystem';

export interface LockingFileTokenBackendOptions extends FileSystemTokenBackendOptions {
  /** How long to wait for somebody else's refresh. Milliseconds. @default 6_000, the original's three times two seconds */
  readonly patienceMs?: number;
}

/** Files whose refreshes are coordinated by a lock of this class's own. */
export class LockingFileTokenBackend extends FileSystemTokenBackend {
  readonly #patienceMs: number;

  constructor({ patienceMs = 6_000, ...options }: LockingFileTokenBackendOptions = {}) {
    super(options);
    this.#patienceMs = patienceMs;
  }

  /**
   * `false`: another process's token was loaded. `null`: refreshed here.
   * @throws LeaseTimeoutError naming who holds the lock, where the original raised RuntimeError.
   */
  override async shouldRefreshToken(request: RefreshRequest): Promise<boolean | null> {
    if (await request.reload()) return false;
    const name = `refreshing.${request.tokenKey}`;
    const lock = await acquireLease(this.leases, name, {
      timing: { ttlMs: 60_000, renewEveryMs: 20_000, waitMs: this.#patienceMs },
      clock: systemClock,
      // Watching the record ends the wait as soon as the token is there, not when the lock is.
      whileWaiting: async () => (await request.reload()) || undefined,
    });
    if ('adopted' in lock) return false;
    try {
      await request.refresh();
      return null;
    } finally {
      await lock.lease.release();
    }
  }
}
