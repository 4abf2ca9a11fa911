import { BackendUnavailableError, RecordTooLargeError, TimeoutError, VersionConflictError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument } from '../options.js';
import { KeyQueue } from './key-queue.js';
import { LateVersion } from './late-version.js';
import type { BackendCapabilities, ReadOptions, RemoveOptions, StoredRecord, WriteOptions } from './token-backend.js';

export type VersionedRecord = Required<StoredRecord>;

/** The three methods that a store implements, by record name. */
export interface RecordHooks {
  read(name: string, options: ReadOptions): Promise<StoredRecord | 'not-modified' | undefined>;
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook may return nothing
  write(name: string, data: Uint8Array, options: WriteOptions): Promise<string | void>;
  remove(name: string, options: RemoveOptions): Promise<boolean>;
}

export interface RawRecordsOptions {
  readonly hooks: RecordHooks;
  readonly capabilities: () => BackendCapabilities;
  /** Keeps every other process from writing this record while `task` runs; used where the store compares nothing itself. */
  readonly exclusively: <T>(name: string, task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;
}

/** What to do once the expectation is met. */
interface Steps<T> {
  readonly change: () => Promise<T>;
  /** Instead, where a record is to be there and is not. @default a conflict */
  readonly absent?: () => Promise<T>;
}

/**
 * Records by name, as stored. Adds to the hooks what every store needs: a version, the size limit, one write at a time
 * per record, comparison where the store has none, and the answer to a write whose own answer was lost.
 */
export class RawRecords {
  readonly #options: RawRecordsOptions;
  readonly #queue = new KeyQueue();

  constructor(options: RawRecordsOptions) {
    this.#options = options;
  }

  async read(name: string, options: ReadOptions = {}): Promise<VersionedRecord | 'not-modified' | undefined> {
    options.signal?.throwIfAborted();
    const found = await this.#options.hooks.read(name, options);
    if (found === undefined || found === 'not-modified') return found;
    if (!(found?.data instanceof Uint8Array))
      throw invalidArgument('readRecord must resolve to { data: Uint8Array }, "not-modified" or undefined.');
    const record = new ReadBytes(found.data, () => found.version ?? contentVersion(found.data));
    return options.ifNotVersion !== undefined && record.version === options.ifNotVersion ? 'not-modified' : record;
  }

  write(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    const { maxRecordBytes = Number.POSITIVE_INFINITY } = this.#options.capabilities();
    if (data.byteLength > maxRecordBytes)
      return Promise.reject(new RecordTooLargeError(name, { bytes: data.byteLength, maxRecordBytes }));
    return this.#compared(name, options, {
      change: async () => {
        try {
          return (await this.#options.hooks.write(name, data, options)) ?? contentVersion(data);
        } catch (error) {
          return this.#afterLostWrite(name, data, { error, options });
        }
      },
    });
  }

  remove(name: string, options: RemoveOptions): Promise<boolean> {
    const absent = async () => false;
    return this.#compared(name, options, {
      absent,
      change: async () => {
        try {
          return await this.#options.hooks.remove(name, options);
        } catch (error) {
          if (!isLostAnswer(error) || options.signal?.aborted) throw error;
          const now = await this.read(name, withoutVersion(options)).catch(() => 'unknown' as const);
          if (now !== undefined) throw error;
          return true;
        }
      },
    });
  }

  #compared<T>(name: string, options: WriteOptions, steps: Steps<T>): Promise<T> {
    const task =
      this.#options.capabilities().conditionalWrites || options.expect === 'anything'
        ? steps.change
        : () => this.#options.exclusively(name, () => this.#compareThen(name, options, steps), options.signal);
    return this.#queue.run(name, task, options.signal);
  }

  async #compareThen<T>(name: string, options: WriteOptions, { change, absent }: Steps<T>): Promise<T> {
    const now = await this.read(name, withoutVersion(options));
    if (now === undefined && absent) return absent();
    const version = now === undefined || now === 'not-modified' ? undefined : now.version;
    const expected = typeof options.expect === 'object' ? options.expect.version : undefined;
    if (version !== expected) throw new VersionConflictError(name);
    return change();
  }

  // The store may have committed although its answer never came. Our own bytes there mean that it did: nobody else
  // writes the same bytes, or it makes no difference who did.
  async #afterLostWrite(name: string, data: Uint8Array, lost: { error: unknown; options: WriteOptions }): Promise<string> {
    if (!isLostAnswer(lost.error) || lost.options.signal?.aborted) throw lost.error;
    const now = await this.read(name, withoutVersion(lost.options)).catch(() => undefined);
    if (now === undefined || now === 'not-modified' || !Buffer.from(now.data).equals(data)) throw lost.error;
    return now.version;
  }
}

/** A record as read from a store. */
export class ReadBytes extends LateVersion implements VersionedRecord {
  readonly data: Uint8Array;

  constructor(data: Uint8Array, version: string | (() => string)) {
    super(version);
    this.data = data;
  }
}

/** The version of a record in a store that has none: a hash of what is stored. */
export function contentVersion(data: Uint8Array): string {
  return nodeCrypto().createHash('sha256').update(data).digest('base64url');
}

function isLostAnswer(error: unknown): boolean {
  return BackendUnavailableError.is(error) || TimeoutError.is(error);
}

function withoutVersion(options: { readonly signal?: AbortSignal }): ReadOptions {
  return options.signal ? { signal: options.signal } : {};
}
