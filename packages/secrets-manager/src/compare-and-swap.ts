import { randomUUID } from 'node:crypto';
import {
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  sleep,
  systemClock,
  VersionConflictError,
} from '@tokenry/core/backend';
import type { CurrentValue, Secrets, SignalOption } from './secrets.js';

/**
 * Takes the place of a record from the moment of its removal until the service has deleted the secret, and after it was
 * restored until the new record is there. Other programs read it as an empty cache.
 */
const REMOVED = Buffer.from('{"_tokenry":"removed"}');

/** How long a removal that somebody began may take, from when its mark was first seen, before a new record takes its place. */
const REMOVAL_MS = 5_000;
/** The deletion knows no condition: sent later than this after the look at the record, it could meet a new one. */
const DELETE_WITHIN_MS = 4_000;
/** How long the service may need to forget a secret that was deleted without recovery. */
const FORGETTING_MS = 30_000;
const POLL_MS = 100;
/** How often a step is repeated because others keep writing. */
const MAX_ATTEMPTS = 20;
const MAX_DELETIONS = 3;

export interface Write extends SignalOption {
  readonly name: string;
  readonly id: string;
  readonly data: Uint8Array;
}

/** The record in a secret; `undefined` where it has been removed. */
export function recordIn(value: CurrentValue | undefined): CurrentValue | undefined {
  return value && isRemoved(value) ? undefined : value;
}

const isRemoved = ({ data }: CurrentValue): boolean => REMOVED.equals(data);

/**
 * Compare-and-swap on a service that has none, in two steps: a value is stored where nobody looks, then AWSCURRENT is moved
 * to it *from* the expected version, which the service refuses when it is no longer there.
 */
export class CompareAndSwap {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /**
   * Replaces the expected version; resolves to the new one. `undefined`: a secret that has no value yet.
   * @throws VersionConflictError when it is not the current one.
   */
  async replace(write: Write, expected: string | undefined, version: string = randomUUID()): Promise<string> {
    const { id, name, data } = write;
    if (!(await this.#secrets.stage(id, { data, version }, write))) throw await this.#whyNot(write, expected);
    if (await this.#secrets.promote(id, version, expected, write)) return version;
    // Refused: because it was moved already, by our own first attempt whose answer was lost, or by somebody else.
    const now = await this.#secrets.state(id, write);
    if (now?.current === version && !now.isDeleted) return version;
    throw new VersionConflictError(name);
  }

  /**
   * Makes a record where there is none; resolves to its version.
   * @throws VersionConflictError when there is one.
   */
  async create(write: Write): Promise<string> {
    const version = randomUUID();
    const startedAt = performance.now();
    const marks = new Marks();
    for (;;) {
      if (await this.#secrets.create(write.id, { data: write.data, version }, write)) return version;
      const done = await this.#createInPlace(write, version, marks);
      if (done !== undefined) return done;
      if (performance.now() - startedAt > FORGETTING_MS)
        throw new BackendUnavailableError(
          `The secret "${write.id}" is neither there nor can it be made; it is still being deleted.`,
        );
      await sleep(systemClock, POLL_MS, { signal: write.signal, hold: true });
    }
  }

  /** Writes whatever is there. */
  async overwrite(write: Write): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const now = await this.#secrets.current(write.id, write);
      try {
        return await (now ? this.replace(write, now.version) : this.create(write));
      } catch (error) {
        if (!VersionConflictError.is(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Removes a record; resolves to whether there was one. With `expected`, only that version. */
  async remove(name: string, id: string, { expected, signal }: SignalOption & { readonly expected?: string }): Promise<boolean> {
    let removed = false;
    let deletions = 0;
    for (let attempt = 1; ; attempt++) {
      const lookedAt = performance.now();
      const now = await this.#secrets.current(id, { signal });
      // Gone; or somebody has made a new record since we removed the one that was there.
      if (!now || (removed && !isRemoved(now))) return removed;
      if (expected !== undefined && !isRemoved(now) && now.version !== expected) throw new VersionConflictError(name);
      try {
        // The deletion itself knows no condition: this step is the removal, and nobody can undo it unseen. Also in the place of
        // another one's mark: who waits for that to end would otherwise wait no longer when our deletion arrives.
        await this.replace({ name, id, data: REMOVED, signal }, now.version);
      } catch (error) {
        // The next look tells whether somebody else removed it, or wrote another version.
        if (!VersionConflictError.is(error) || attempt === MAX_ATTEMPTS) throw error;
        continue;
      }
      removed ||= !isRemoved(now);
      try {
        await this.#delete(id, { signal, until: lookedAt + DELETE_WITHIN_MS });
        return removed;
      } catch (error) {
        // It may have been made. Sent again without another look and another mark it could meet a new record.
        const isPassing = BackendUnavailableError.is(error) || BackendThrottledError.is(error);
        if (!isPassing || signal?.aborted || ++deletions === MAX_DELETIONS) throw error;
        await sleep(systemClock, deletions * POLL_MS, { signal, hold: true });
      }
    }
  }

  /** Deletes the secret, unless it is too late for that: then the mark stays, which reads as absent. */
  async #delete(id: string, { signal, until }: SignalOption & { readonly until: number }): Promise<void> {
    const leftMs = Math.floor(until - performance.now());
    if (leftMs <= 0) return;
    const late = AbortSignal.timeout(leftMs);
    try {
      await this.#secrets.delete(id, { signal: signal ? AbortSignal.any([signal, late]) : late });
    } catch (error) {
      if (!late.aborted || signal?.aborted) throw error;
    }
  }

  async #whyNot(write: Write, expected: string | undefined): Promise<Error> {
    const now = await this.#secrets.state(write.id, write);
    if (!now || now.isDeleted || now.current !== expected) return new VersionConflictError(write.name);
    return new CapabilityError(
      `The secret "${write.id}" takes no new value. It may be managed or replicated by another service.`,
    );
  }

  /** Something is in the way of a new secret: nothing but a conflict if it is a record. `undefined`: try again. */
  async #createInPlace(write: Write, version: string, marks: Marks): Promise<string | undefined> {
    const { id } = write;
    const state = await this.#secrets.state(id, write);
    if (!state) return undefined;
    if (state.isDeleted) {
      // Deleted for ever is not deleted at once: a restoration is refused, until the name is free again.
      if (!(await this.#secrets.restore(id, write))) return undefined;
      return this.replace(write, state.current, version);
    }
    if (state.current === version) return version; // our own first attempt, whose answer was lost
    if (state.current === undefined) return this.replace(write, undefined, version);
    const now = await this.#secrets.current(id, write);
    if (!now) return undefined;
    if (!isRemoved(now)) throw new VersionConflictError(write.name);
    return marks.seenForMs(now) < REMOVAL_MS ? undefined : this.replace(write, now.version, version);
  }
}

/** For how long a mark has been seen. Requests before that say nothing about it: one that took long may have missed it. */
class Marks {
  #version: string | undefined;
  #since = 0;

  seenForMs({ version }: CurrentValue): number {
    const now = performance.now();
    if (version !== this.#version) [this.#version, this.#since] = [version, now];
    return now - this.#since;
  }
}

/** @throws CapabilityError for a record that the service cannot hold. */
export function assertNotEmpty(name: string, data: Uint8Array): void {
  if (data.byteLength > 0) return;
  throw new CapabilityError(`The record "${name}" is empty; a secret cannot hold nothing. Remove it instead.`);
}
