import type { Dir } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  BackendUnavailableError,
  BaseTokenBackend,
  type Expectation,
  type LeaseProvider,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import { contentVersion } from './content-version.js';
import { FileSystemLeases } from './file-system-leases.js';
import { assertAbsent, findPlace } from './links.js';
import { mapError } from './map-error.js';
import { type FileSystemTokenBackendOptions, OWN_OPTIONS, resolveOptions } from './options.js';
import { readRecordFile, removeFile, replaceFile } from './record-file.js';
import { reached } from './save-step.js';
import { syncFolder } from './sync-folder.js';
import { removeLeftoversOnce, writeTempFile } from './temp-file.js';
import { type HeldLock, lockPathOf, WriteLock } from './write-lock.js';

/** Tells records from other files in the folder. */
const SUFFIX = '.token';
/** With `=lock-` before it, a name still fits where encryption shortens names (eCryptfs: 143 bytes). */
const MAX_NAME_BYTES = 128;

interface Change {
  readonly name: string;
  readonly expect: Expectation;
  readonly signal?: AbortSignal | undefined;
  readonly removes?: boolean;
}

/**
 * Keeps records in files of one folder, safely shared by any number of processes: every save is compared, atomic and
 * durable, readers see the old record or the new one, and a process killed at any moment leaves neither a torn file nor a
 * lock that blocks the others.
 *
 * The file `tokenFilename` is the default record, byte for byte what python-o365, MSAL Python and msal-node read; other token
 * keys lie beside it as `<key>.token`.
 *
 * @example
 * ```ts
 * const tokenBackend = new FileSystemTokenBackend({ tokenPath: '/srv/app/tokens' });
 * ```
 */
export class FileSystemTokenBackend extends BaseTokenBackend {
  readonly #folder: string;
  readonly #lock: WriteLock;
  readonly #leases: FileSystemLeases;

  /**
   * Touches no file; the folder is made by the first save.
   * @throws TypeError for an unknown option, a `tokenPath` that is no path, or a `tokenFilename` that is one.
   */
  constructor(options: FileSystemTokenBackendOptions = {}) {
    const { folder, defaultTokenKey, writeLock } = resolveOptions(options);
    super(
      {
        capabilities: { conditionalWrites: true, leases: true, list: true, durable: true, shared: true },
        // Not the path: one folder may be mounted in different places, and its leases lie in it anyway.
        id: 'filesystem',
        options: OWN_OPTIONS,
        recordNames: { maxBytes: MAX_NAME_BYTES, suffix: SUFFIX },
      },
      { ...options, defaultTokenKey },
    );
    this.#folder = folder;
    this.#lock = new WriteLock(writeLock);
    this.#leases = new FileSystemLeases({ tokenPath: folder, writeLock, ...(options.clock ? { clock: options.clock } : {}) });
  }

  protected readRecord(name: string, { signal }: ReadOptions): Promise<StoredRecord | undefined> {
    return this.#attempt('read', name, async (path) => {
      const data = await readRecordFile(path);
      signal?.throwIfAborted();
      if (!data) {
        await assertAbsent(path);
        return undefined;
      }
      return {
        data,
        get version() {
          return contentVersion(data);
        },
      };
    });
  }

  protected writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string> {
    return this.#attempt('save', name, async (path) => {
      const { path: target, stats } = await findPlace(path);
      // Before the lock, which is then held for a comparison and a rename only.
      const writing = writeTempFile(dirname(target), data);
      const version = contentVersion(data); // while the disk is busy
      const temp = await writing;
      reached('temp-written', target);
      try {
        await removeLeftoversOnce(temp, this.#lock.rules);
        const { synced } = await this.#exclusively(target, { name, expect, signal }, async () => {
          reached('before-rename', target);
          await replaceFile(temp, target, stats);
          reached('after-rename', target);
          return syncing(dirname(target));
        });
        await synced;
        reached('save-durable', target);
        return version;
      } catch (error) {
        await removeFile(temp).catch(() => undefined);
        throw error;
      }
    });
  }

  protected removeRecord(name: string, { expect, signal }: RemoveOptions): Promise<boolean> {
    return this.#attempt('remove', name, async (path) => {
      const { path: target, stats } = await findPlace(path);
      // Absent is no conflict, and a lock would need a folder to be in.
      if (!stats) return assertAbsent(path).then(() => false);
      const removed = await this.#exclusively(target, { name, expect, signal, removes: true }, () => removeFile(target));
      await syncFolder(dirname(target));
      return removed;
    });
  }

  protected override async *listRecords({ signal }: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    const folder = this.#folder;
    const entries = await this.#mapped('list the records', () => openFolder(folder));
    if (!entries) return;
    for await (const entry of entries) {
      signal?.throwIfAborted();
      if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(folder, entry.name))))) yield entry.name;
    }
  }

  protected override leaseProvider(): LeaseProvider {
    return this.#leases;
  }

  /** Compares and changes under the write lock: no other process that uses Tokenry can come in between. */
  #exclusively<T>(target: string, change: Change, action: () => Promise<T>): Promise<T> {
    const compareAndChange = async (lock: HeldLock): Promise<T> => {
      const found = change.expect === 'anything' ? undefined : await readRecordFile(target);
      // Somebody else has removed it meanwhile: no conflict for whoever wants it removed.
      if (change.expect !== 'anything' && (found || !change.removes)) assertExpected(change.name, change.expect, found);
      change.signal?.throwIfAborted();
      if (!(await lock.isHeld()))
        throw new BackendUnavailableError(
          `This process stood still while saving "${target}", and another machine went on; nothing was written.`,
        );
      return action();
    };
    return this.#lock.run(lockPathOf(target), compareAndChange, change.signal);
  }

  #attempt<T>(verb: 'read' | 'save' | 'remove', name: string, action: (path: string) => Promise<T>): Promise<T> {
    const path = join(this.#folder, name);
    return this.#mapped(`${verb} the record "${path}"`, () => action(path));
  }

  async #mapped<T>(doing: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw mapError(error, { doing, folder: this.#folder });
    }
  }
}

/** Waits for the disk beside giving back the lock: who saves next changes the same folder, and waits for both. */
function syncing(folder: string): { readonly synced: Promise<void> } {
  const synced = syncFolder(folder);
  synced.catch(() => undefined); // reported to whoever awaits it, a moment later
  return { synced };
}

function assertExpected(name: string, expect: Exclude<Expectation, 'anything'>, found: Uint8Array | undefined): void {
  const expected = expect === 'absent' ? undefined : expect.version;
  if ((found && contentVersion(found)) !== expected) throw new VersionConflictError(name);
}

/** `undefined`: it is not there yet; the first save makes it. */
async function openFolder(folder: string): Promise<Dir | undefined> {
  try {
    return await opendir(folder);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await assertAbsent(join(folder, 'any'));
    return undefined;
  }
}

async function leadsToFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
