import { join } from 'node:path';
import { type Clock, emit, type LeaseProvider, type LeaseRequest, strictOptions, systemClock } from '@tokenry/core/backend';
import { claimOwner, describeClaim } from './claim.js';
import { type ClaimSeen, createClaim, readClaim, removeClaim, replaceClaim } from './claim-file.js';
import { isHeldBy, newLeaseClaim, parseLeaseClaim } from './lease-claim.js';
import { type LeaseSeen, readLease, removeBeat, writeBeat } from './lease-file.js';
import { mapError } from './map-error.js';
import { nodeCrypto } from './node-crypto.js';
import { checkWriteLock, type FolderOptions, resolveFolder } from './options.js';
import { ownerState } from './process-identity.js';
import { makeFolder, newTempPath } from './temp-file.js';
import { UnchangedSince } from './unchanged-since.js';
import { type HeldLock, lockPathOf, WriteLock, type WriteLockOptions } from './write-lock.js';

export interface FileSystemLeasesOptions extends FolderOptions {
  /** Tells how long a stranger's lease stayed unchanged. @default the machine's monotonic clock */
  readonly clock?: Clock;
  /** Patience with the locks under which lease files are changed. */
  readonly writeLock?: WriteLockOptions;
}

type Answer = Awaited<ReturnType<LeaseProvider['tryAcquire']>>;

/**
 * Leases for all processes that share a folder: one small file `=lease-…` each, and `=beat-…` beside it once it is renewed.
 *
 * A lease is taken at once from a thread that is dead on this machine. From everybody else, stopped or remote, it is
 * taken after this process has seen the files unchanged for one TTL on its own monotonic clock; a living holder renews it
 * well before that, and locks nothing for it: wherever it is stopped in a renewal, it keeps nobody from taking over.
 *
 * @example
 * ```ts
 * const leases = new FileSystemLeases({ tokenPath: '/srv/app/leases' });
 * ```
 */
export class FileSystemLeases implements LeaseProvider {
  readonly #folder: string;
  readonly #unchanged: UnchangedSince;
  /** Held for the microseconds of a takeover or a release; new leases and renewals need no lock. */
  readonly #lock: WriteLock;
  /** Leases with a beat: most are over before they need one. */
  readonly #renewed = new Set<string>();

  constructor(options: FileSystemLeasesOptions = {}) {
    const allowed = ['tokenPath', 'clock', 'writeLock'];
    const { tokenPath, clock = systemClock, writeLock } = strictOptions('FileSystemLeases', options, allowed);
    this.#folder = resolveFolder(tokenPath);
    this.#lock = new WriteLock(checkWriteLock(writeLock));
    this.#unchanged = new UnchangedSince(() => clock.monotonic());
  }

  async tryAcquire(name: string, request: LeaseRequest): Promise<Answer> {
    request.signal?.throwIfAborted();
    const path = this.#pathOf(name);
    const text = newLeaseClaim(request);
    return this.#mapped('take a lease', async () => {
      if (await this.#create(path, text)) return this.#acquired(path);
      const seen = await readLease(path);
      // Released just now, or a request that a network file system repeated: the second attempt tells.
      if (!seen || seen.claim.text === text)
        return seen || (await createClaim(path, text)) ? this.#acquired(path) : refused(seen);
      if (!this.#mayTake(path, seen, request)) return refused(seen);
      if (!(await this.#takeOver(path, { seen, text, request }))) return refused(seen);
      emit('lease', () => ({ name, action: 'taken-over', holder: holderOf(seen) }));
      return this.#acquired(path);
    });
  }

  renew(name: string, request: LeaseRequest): Promise<boolean> {
    const path = this.#pathOf(name);
    return this.#mapped('renew a lease', async () => {
      const claim = await claimOf(path, request);
      if (!claim) return false;
      await writeBeat(path, claim, newLeaseClaim(request));
      const renewed = await this.#stillHeld(path, claim, request);
      if (renewed) {
        this.#renewed.add(path);
      } else {
        this.#renewed.delete(path);
        await removeBeat(path, claim);
      }
      return renewed;
    });
  }

  async release(name: string, request: LeaseRequest): Promise<void> {
    const path = this.#pathOf(name);
    const release = async (held: HeldLock) => {
      const claim = await claimOf(path, request);
      if (!claim || !(await held.isHeld())) return;
      await removeClaim(path);
      if (this.#renewed.delete(path)) await removeBeat(path, claim);
    };
    await this.#mapped('release a lease', () =>
      this.#lock.run(lockPathOf(path), release, request.signal).catch((error: NodeJS.ErrnoException) => {
        // No folder, no lease.
        if (error.code !== 'ENOENT') throw error;
      }),
    );
  }

  /**
   * Whether the claim outlived its beat. A contender locks and then looks for a new beat; the holder writes its beat and then looks
   * for the lock: whichever was first, one of them sees the other.
   */
  async #stillHeld(path: string, claim: ClaimSeen, { signal }: LeaseRequest): Promise<boolean> {
    const isSame = async () => (await readClaim(path))?.fingerprint === claim.fingerprint;
    if (!(await readClaim(lockPathOf(path)))) return isSame();
    // A contender that had looked before may be about to take over: its lock's end tells.
    return this.#lock.run(lockPathOf(path), isSame, signal);
  }

  #takeOver(
    path: string,
    to: { readonly seen: LeaseSeen; readonly text: string; readonly request: LeaseRequest },
  ): Promise<boolean> {
    const takeOver = async (held: HeldLock): Promise<boolean> => {
      const now = await readLease(path);
      if (now?.fingerprint !== to.seen.fingerprint || !(await held.isHeld())) return false;
      await replaceClaim(path, to.text, newTempPath(this.#folder));
      // It is in nobody's way; a folder that refuses this must not undo the takeover.
      await removeBeat(path, now.claim).catch(() => undefined);
      return true;
    };
    return this.#lock.run(lockPathOf(path), takeOver, to.request.signal);
  }

  #mayTake(path: string, seen: LeaseSeen, request: LeaseRequest): boolean {
    const unchangedMs = this.#unchanged.observe(path, seen.fingerprint);
    return ownerState(claimOwner(seen.text)) === 'dead' || unchangedMs >= (parseLeaseClaim(seen.text)?.ttlMs ?? request.ttlMs);
  }

  #acquired(path: string): Answer {
    this.#unchanged.forget(path);
    return { acquired: true };
  }

  async #create(path: string, text: string): Promise<boolean> {
    try {
      return await createClaim(path, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await makeFolder(this.#folder);
      return createClaim(path, text);
    }
  }

  #pathOf(name: string): string {
    const readable = /^(?!hash=)[a-z0-9_.=-]{1,100}$/.test(name);
    return join(this.#folder, `=lease-${readable ? name : `hash=${nodeCrypto().hash('sha256', JSON.stringify(name), 'hex')}`}`);
  }

  async #mapped<T>(doing: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw mapError(error, { doing, folder: this.#folder });
    }
  }
}

/** The claim under `path`, if it is this owner's. */
async function claimOf(path: string, { owner }: LeaseRequest): Promise<ClaimSeen | undefined> {
  const claim = await readClaim(path);
  return claim && isHeldBy(claim.text, owner) ? claim : undefined;
}

function refused(seen: LeaseSeen | undefined): Answer {
  if (!seen) return { acquired: false, holder: 'unknown', version: '' };
  return { acquired: false, holder: holderOf(seen), version: nodeCrypto().hash('sha256', seen.fingerprint, 'base64url') };
}

function holderOf({ text }: LeaseSeen): string {
  return parseLeaseClaim(text)?.owner ?? describeClaim(text);
}
