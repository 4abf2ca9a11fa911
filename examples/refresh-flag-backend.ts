/**
 * python-o365's `LockableFirestoreBackend`, ported: a flag beside the record says whether somebody refreshes. Who flips it
 * from free to taken refreshes; the others sleep a random while, longer each time, and look again.
 *
 * Written for any backend with conditional writes, here for files. What the original left open is closed: the flag is
 * flipped by compare-and-swap (there, that step was a stub), it is given back also when the refresh fails, and a flag
 * that a crashed process left behind delays the others, but does not stop them: Tokenry's own lease still keeps them apart.
 */
import { setTimeout } from 'node:timers/promises';
import { type RefreshRequest, VersionConflictError } from '@tokenry/core';
import { FileSystemTokenBackend, type FileSystemTokenBackendOptions } from '@tokenry/filesystem';

const FREE = 'free';
const TAKEN = 'taken';

export interface RefreshFlagTokenBackendOptions extends FileSystemTokenBackendOptions {
  /** How often to look before refreshing in spite of the flag. @default 5 */
  readonly maxTries?: number;
  /** The n-th wait is a random part of `factorMs × 2^(n-1)`. Milliseconds. @default 1_500 */
  readonly factorMs?: number;
}

/** Records with a flag each, stored as `<token key>.refresh-flag`. */
export class RefreshFlagTokenBackend extends FileSystemTokenBackend {
  readonly #maxTries: number;
  readonly #factorMs: number;

  constructor({ maxTries = 5, factorMs = 1_500, ...options }: RefreshFlagTokenBackendOptions = {}) {
    super(options);
    this.#maxTries = maxTries;
    this.#factorMs = factorMs;
  }

  /** `false`: another process's token was loaded. `null`: refreshed here. `true`: nobody else did, in all this time. */
  override async shouldRefreshToken(request: RefreshRequest): Promise<boolean | null> {
    const flag = `${request.tokenKey}.refresh-flag`;
    for (let attempt = 1; attempt <= this.#maxTries; attempt++) {
      if (await request.reload()) return false;
      if (await this.#flip(flag, TAKEN)) return this.#refresh(request, flag);
      await setTimeout(Math.random() * this.#factorMs * 2 ** (attempt - 1));
    }
    return !(await request.reload());
  }

  async #refresh(request: RefreshRequest, flag: string): Promise<null> {
    try {
      await request.refresh();
      return null;
    } finally {
      // Who asked wants to know how the refresh went; a flag that stays taken only delays the others.
      await this.#flip(flag, FREE).catch(() => undefined);
    }
  }

  /** False: it is there already, or somebody else was faster. */
  async #flip(flag: string, to: typeof FREE | typeof TAKEN): Promise<boolean> {
    const found = await this.records.read(flag);
    if (found === 'not-modified') return false;
    const now = found ? Buffer.from(found.data).toString() : FREE;
    if (now === to) return false;
    try {
      await this.records.write(flag, Buffer.from(to), { expect: found ? { version: found.version } : 'absent' });
      return true;
    } catch (error) {
      if (VersionConflictError.is(error)) return false;
      throw error;
    }
  }
}
