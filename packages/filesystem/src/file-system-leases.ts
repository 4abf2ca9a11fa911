import { hash } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, emit, type LeaseProvider, type LeaseRequest, strictOptions, systemClock } from '@tokenry/core/backend';
import { claimOwner, describeClaim } from './claim.js';
import { type ClaimSeen, createClaim, readClaim, removeClaim, replaceClaim } from './claim-file.js';
import { isHeldBy, newLeaseClaim, parseLeaseClaim } from './lease-claim.js';
import { mapError } from './map-error.js';
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
 * Leases for all processes that share a folder: one small file `=lease-…` each.
 *
 * A lease is taken at once from a thread that is dead on this machine. From everybody else, stopped or remote, it is
 * taken after this process has seen the file unchanged for one TTL on its own monotonic clock; a living holder changes it
 * well before that.
 *
 * @example
 * ```ts
 * const leases = new FileSystemLeases({ tokenPath: '/srv/app/leases' });
 * ```
 */
export class FileSystemLeases implements LeaseProvider {
  readonly #folder: string;
  readonly #unchanged: UnchangedSince;
  /** Held for the microseconds in which an existing lease file is changed; new ones need no lock. */
  readonly #lock: WriteLock;

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
      const seen = await readClaim(path);
      // Released just now, or a request that a network file system repeated: the second attempt tells.
      if (!seen || seen.text === text) return seen || (await createClaim(path, text)) ? this.#acquired(path) : refused(seen);
      if (!this.#mayTake(path, seen, request)) return refused(seen);
      if (!(await this.#takeOver(path, { seen, text, request }))) return refused(seen);
      emit('lease', () => ({ name, action: 'taken-over', holder: holderOf(seen) }));
      return this.#acquired(path);
    });
  }

  renew(name: string, request: LeaseRequest): Promise<boolean> {
    const path = this.#pathOf(name);
    return this.#mapped('renew a lease', () =>
      this.#ifHeld(path, request, () => replaceClaim(path, newLeaseClaim(request), newTempPath(this.#folder))),
    );
  }

  async release(name: string, request: LeaseRequest): Promise<void> {
    const path = this.#pathOf(name);
    await this.#mapped('release a lease', () => this.#ifHeld(path, request, () => removeClaim(path)));
  }

  /** Changes the lease only while it is the owner's: under the lock nobody takes it over between look and change. */
  async #ifHeld(path: string, { owner, signal }: LeaseRequest, change: () => Promise<void>): Promise<boolean> {
    // Saves the lock, and the folder that a lock would need, where there is nothing to change.
    const seen = await readClaim(path);
    if (!seen || !isHeldBy(seen.text, owner)) return false;
    return this.#lock.run(
      lockPathOf(path),
      async (held) => {
        const now = await readClaim(path);
        if (!now || !isHeldBy(now.text, owner) || !(await held.isHeld())) return false;
        await change();
        return true;
      },
      signal,
    );
  }

  #takeOver(
    path: string,
    to: { readonly seen: ClaimSeen; readonly text: string; readonly request: LeaseRequest },
  ): Promise<boolean> {
    const takeOver = async (held: HeldLock): Promise<boolean> => {
      const now = await readClaim(path);
      if (now?.fingerprint !== to.seen.fingerprint || !(await held.isHeld())) return false;
      await replaceClaim(path, to.text, newTempPath(this.#folder));
      return true;
    };
    return this.#lock.run(lockPathOf(path), takeOver, to.request.signal);
  }

  #mayTake(path: string, seen: ClaimSeen, request: LeaseRequest): boolean {
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
    return join(this.#folder, `=lease-${readable ? name : `hash=${hash('sha256', JSON.stringify(name), 'hex')}`}`);
  }

  async #mapped<T>(doing: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw mapError(error, { doing, folder: this.#folder });
    }
  }
}

function refused(seen: ClaimSeen | undefined): Answer {
  if (!seen) return { acquired: false, holder: 'unknown', version: '' };
  return { acquired: false, holder: holderOf(seen), version: hash('sha256', seen.fingerprint, 'base64url') };
}

function holderOf({ text }: ClaimSeen): string {
  return parseLeaseClaim(text)?.owner ?? describeClaim(text);
}
