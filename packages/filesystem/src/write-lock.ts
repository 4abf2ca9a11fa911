import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LeaseTimeoutError } from '@tokenry/core/backend';
import { claimOwner, describeClaim, newClaim } from './claim.js';
import { type ClaimSeen, createClaim, readClaim, removeClaim } from './claim-file.js';
import { ForsakenClaims } from './forsaken-claims.js';
import { InProcessQueue } from './in-process-queue.js';
import { nodeCrypto } from './node-crypto.js';
import { ownerState } from './process-identity.js';
import { removeStaleClaim, type TakeoverRules } from './stale-claim.js';
import { UnchangedSince } from './unchanged-since.js';

export interface WriteLockOptions {
  /** For how long a claim of an owner who cannot be looked up must stay unchanged before it is taken. @default 60_000 */
  readonly ttlMs?: number;
  /** How long to wait for a lock before giving up. @default 30_000 */
  readonly waitMs?: number;
}

/** What the holder of a lock can ask. */
export interface HeldLock {
  /** Whether the lock is certainly still ours: to be asked right before the change that it protects. */
  isHeld(): Promise<boolean>;
}

const POLL_MS = 8;
/** Longest name of a file whose lock is named after it; beyond that the name would not fit everywhere (eCryptfs: 143 bytes). */
const MAX_READABLE_NAME = 128;

/** The file that locks `file`, beside it. */
export function lockPathOf(file: string): string {
  const name = basename(file);
  const readable = Buffer.byteLength(name) <= MAX_READABLE_NAME;
  return join(dirname(file), `=lock-${readable ? name : nodeCrypto().hash('sha256', name, 'hex')}`);
}

/**
 * Exclusion between processes for the milliseconds of one file change.
 *
 * A lock is never taken from a thread that is alive on this machine, stopped or not: whatever it was about to do, it may still
 * do. A dead one is recognised at once. Of an owner on another machine, or one that cannot be read, nothing is known: its
 * lock is taken after this process has seen it unchanged for `ttlMs` on its own monotonic clock.
 */
export class WriteLock {
  readonly #ttlMs: number;
  readonly #waitMs: number;
  readonly #queue = new InProcessQueue();
  readonly #unchanged = new UnchangedSince(() => performance.now());
  readonly #forsaken = new ForsakenClaims(async (path, text) => {
    const seen = await readClaim(path);
    if (seen?.text === text) await removeStaleClaim(path, seen, this.rules);
  });

  constructor(options: WriteLockOptions = {}) {
    this.#ttlMs = options.ttlMs ?? 60_000;
    this.#waitMs = options.waitMs ?? 30_000;
  }

  /**
   * Runs `action` while holding the lock `path`.
   * @throws LeaseTimeoutError naming the holder, after `waitMs`.
   */
  run<T>(path: string, action: (held: HeldLock) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const runLocked = async () => {
      const { claim, claimedAt } = await this.#acquire(path, signal);
      // Within half a TTL nobody on any machine can have seen the claim for a whole one.
      const isFresh = () => performance.now() - claimedAt < this.#ttlMs / 2;
      try {
        return await action({ isHeld: async () => isFresh() || (await readClaim(path))?.text === claim });
      } finally {
        await this.#release(path, claim, isFresh());
      }
    };
    return this.#queue.run(path, runLocked, signal);
  }

  /** By what rules claims of this kind are taken from their owners. */
  readonly rules: TakeoverRules = {
    mayTake: (path, seen) => {
      const state = ownerState(claimOwner(seen.text));
      if (state !== 'unknown') return state === 'dead' || this.#forsaken.has(seen.text);
      return this.#unchanged.observe(path, seen.fingerprint) >= this.#ttlMs;
    },
    forsake: (path, text) => this.#forsaken.add(path, text),
  };

  async #acquire(path: string, signal: AbortSignal | undefined): Promise<{ readonly claim: string; readonly claimedAt: number }> {
    const giveUpAt = performance.now() + this.#waitMs;
    const claim = newClaim();
    for (;;) {
      signal?.throwIfAborted();
      // Before the call: from then on others may see the claim, however late we learn of it.
      const claimedAt = performance.now();
      const created = await createClaim(path, claim);
      const seen = created ? undefined : await readClaim(path);
      // A network file system may repeat a request whose answer it lost: the name is taken, by us.
      if (created || seen?.text === claim) {
        this.#unchanged.forget(path);
        return { claim, claimedAt };
      }
      if (!seen) continue;
      if (performance.now() >= giveUpAt) throw waitedTooLong(path, seen, this.#waitMs);
      if (this.rules.mayTake(path, seen)) await removeStaleClaim(path, seen, this.rules);
      await poll(signal);
    }
  }

  async #release(path: string, claim: string, fresh: boolean): Promise<void> {
    try {
      if (fresh || (await readClaim(path))?.text === claim) await removeClaim(path);
    } catch {
      // The change is made; that the lock could not be removed (folder made read-only meanwhile) must not undo its success.
      this.#forsaken.add(path, claim);
    }
  }
}

// Full jitter spreads rivals. A plain timer: who waits for a save wants the process to stay.
async function poll(signal: AbortSignal | undefined): Promise<void> {
  await wait(Math.random() * POLL_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
}

function waitedTooLong(path: string, seen: ClaimSeen, waitMs: number): LeaseTimeoutError {
  const holder = describeClaim(seen.text);
  return new LeaseTimeoutError(
    `Waited ${waitMs} ms for the write lock "${path}", held by ${holder}. If that program hangs or is stopped, end it; ` +
      'if it does not use Tokenry, remove that file.',
    { holder },
  );
}
