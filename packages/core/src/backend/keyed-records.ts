import type { CryptographyManager } from '../crypto/cryptography-manager.js';
import { CapabilityError, RecordTooLargeError, VersionConflictError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { RecentMap } from '../recent-map.js';
import { type RawRecords, ReadBytes, type VersionedRecord } from './raw-records.js';
import { isHashedRecordName, type RecordKeys } from './record-key.js';
import type { ReadOptions, RecordStore, RemoveOptions, WriteOptions } from './token-backend.js';

/** As many as there are records in memory, unless that was raised. */
const MAX_HASHED = 10_000;

interface SignalOption {
  readonly signal?: AbortSignal;
}

export interface KeyedRecordsOptions {
  readonly raw: RawRecords;
  readonly keys: RecordKeys;
  readonly keyPrefix: string;
  readonly cryptographyManager: CryptographyManager | undefined;
  /** `undefined` when the store cannot list. */
  readonly listNames: (options: { readonly signal?: AbortSignal }) => AsyncIterable<string> | undefined;
  readonly now: () => number;
}

/** Records by token key, as plaintext: names them, encrypts and opens them, lists them. */
export class KeyedRecords implements RecordStore {
  readonly #options: KeyedRecordsOptions;
  /** Token keys of hashed names: a store that tells of a change tells the name alone. */
  readonly #hashed = new RecentMap<string, string>(MAX_HASHED);

  constructor(options: KeyedRecordsOptions) {
    this.#options = options;
  }

  read(tokenKey: string, options: ReadOptions = {}): Promise<VersionedRecord | 'not-modified' | undefined> {
    const { raw, cryptographyManager } = this.#options;
    const sealed = raw.read(this.#name(tokenKey), options);
    return cryptographyManager ? this.#opened(sealed, tokenKey, cryptographyManager) : sealed;
  }

  async write(tokenKey: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    const sealed = await this.#seal(data, tokenKey);
    const hash = typeof options.expect === 'object' ? undefined : this.#options.keys.hashInNameOf(tokenKey);
    if (hash !== undefined) await this.#writeSideRecord(hash, tokenKey, options);
    const version = await this.#options.raw
      .write(this.#name(tokenKey), sealed, options)
      .catch((error) => this.#rename(error, tokenKey));
    // The record is saved, and only a removal at this very moment can have taken its side record: no trouble undoes that.
    if (hash !== undefined) await this.#keepSideRecord(hash, tokenKey, options).catch(() => undefined);
    return version;
  }

  async remove(tokenKey: string, options: RemoveOptions): Promise<boolean> {
    const { raw, keys } = this.#options;
    const removed = await raw.remove(this.#name(tokenKey), options).catch((error) => this.#rename(error, tokenKey));
    const hash = keys.hashInNameOf(tokenKey);
    if (hash !== undefined) await this.#removeSideRecord(hash, tokenKey, options);
    return removed;
  }

  async *list(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<string> {
    const { listNames, keys } = this.#options;
    const names = listNames(options);
    if (!names) throw new CapabilityError('This backend cannot list its records: it has no listRecords hook.');
    for await (const name of names) {
      options.signal?.throwIfAborted();
      const found = keys.keyOf(name);
      const tokenKey = found && 'hash' in found ? await this.#keyInSideRecord(name, found.hash, options) : found?.tokenKey;
      if (tokenKey !== undefined) yield tokenKey;
    }
  }

  /**
   * Copies the stored bytes, whatever they are, to `=corrupt-<hash of the name>-<time>` and resolves to the version that
   * may now be overwritten; `undefined` when nothing is stored.
   */
  async setAside(tokenKey: string, options: { readonly signal?: AbortSignal } = {}): Promise<string | undefined> {
    const { raw, now } = this.#options;
    const name = this.#name(tokenKey);
    const found = await raw.read(name, options);
    if (found === undefined || found === 'not-modified') return undefined;
    const digest = nodeCrypto().createHash('sha256').update(name).digest('hex').slice(0, 16);
    await raw.write(`=corrupt-${digest}-${now()}`, found.data, { ...options, expect: 'anything' });
    return found.version;
  }

  /** The token key of a record name, where the name tells it, or was used here not long ago. */
  tokenKeyOf(name: string): string | undefined {
    const found = this.#options.keys.keyOf(name);
    return found && 'tokenKey' in found ? found.tokenKey : this.#hashed.get(name);
  }

  #name(tokenKey: string): string {
    const name = this.#options.keys.nameOf(tokenKey);
    if (name !== tokenKey && isHashedRecordName(name)) this.#hashed.set(name, tokenKey);
    return name;
  }

  #seal(data: Uint8Array, tokenKey: string): Uint8Array | Promise<Uint8Array> {
    const { cryptographyManager, keyPrefix } = this.#options;
    return cryptographyManager ? cryptographyManager.encrypt(data, { tokenKey: keyPrefix + tokenKey }) : data;
  }

  async #opened(
    sealed: Promise<VersionedRecord | 'not-modified' | undefined>,
    tokenKey: string,
    manager: CryptographyManager,
  ): Promise<VersionedRecord | 'not-modified' | undefined> {
    const found = await sealed;
    if (found === undefined || found === 'not-modified') return found;
    const data = await manager.decrypt(found.data, { tokenKey: this.#options.keyPrefix + tokenKey });
    return new ReadBytes(data, () => found.version);
  }

  // A hashed name does not say which key it stands for; a listing needs it. Its bytes never change: writing it again is safe.
  async #writeSideRecord(hash: string, tokenKey: string, options: SignalOption): Promise<void> {
    const { raw, keyPrefix } = this.#options;
    await raw.write(`=key-${hash}`, Buffer.from(keyPrefix + tokenKey), { ...signalOf(options), expect: 'anything' });
  }

  // Whoever writes a record looks for its side record afterwards, whoever removes a side record looks for its record: of a
  // writer and a remover who meet, the one who looks last finds what is missing and writes it again. At worst a side record
  // is left without a record, which no listing shows.
  async #keepSideRecord(hash: string, tokenKey: string, options: SignalOption): Promise<void> {
    const side = await this.#options.raw.read(`=key-${hash}`, signalOf(options));
    if (side === undefined) await this.#writeSideRecord(hash, tokenKey, options);
  }

  async #removeSideRecord(hash: string, tokenKey: string, options: SignalOption): Promise<void> {
    const { raw } = this.#options;
    await raw.remove(`=key-${hash}`, { ...signalOf(options), expect: 'anything' });
    const record = await raw.read(this.#name(tokenKey), signalOf(options));
    if (record !== undefined) await this.#writeSideRecord(hash, tokenKey, options);
  }

  async #keyInSideRecord(name: string, hash: string, options: ReadOptions): Promise<string | undefined> {
    const side = await this.#options.raw.read(`=key-${hash}`, options);
    if (side === undefined || side === 'not-modified') return undefined;
    return this.#options.keys.keyFromSideRecord(name, Buffer.from(side.data).toString());
  }

  // Callers know token keys, not record names.
  #rename(error: unknown, tokenKey: string): never {
    if (VersionConflictError.is(error)) throw new VersionConflictError(tokenKey, { cause: error.cause });
    if (RecordTooLargeError.is(error)) throw new RecordTooLargeError(tokenKey, error);
    throw error;
  }
}

function signalOf({ signal }: SignalOption): SignalOption {
  return signal ? { signal } : {};
}
