import { createHash } from 'node:crypto';
import { type Clock, invalidArgument, type RecordStore, strictOptions, systemClock } from '@tokenry/core/backend';
import type { AutodiscoverError } from '../errors.js';
import { BoundedMap } from './bounded-map.js';
import { type CacheStore, MAX_ENTRY_BYTES } from './cache-store.js';
import { type EndpointEntry, NEGATIVE_MS, readEntry, type SettingsEntry, writeEntry } from './entries.js';
import { defaultCacheFolder, FolderStore } from './folder-store.js';
import { RecordsStore } from './records-store.js';

export interface AutodiscoverCacheOptions {
  /** Keeps entries in a token backend: `tokenBackend.records`. */
  readonly records?: RecordStore;
  /** Keeps entries in this folder; it is created for this user alone. @default the user's cache folder */
  readonly folder?: string;
  /** Keeps entries in this process only. @default false */
  readonly memoryOnly?: boolean;
  /** @default 10000 */
  readonly maxEntries?: number;
  readonly clock?: Clock;
}

/** Where a remembered entry came from. */
export type CacheLayer = 'memory' | 'store';
interface Remembered {
  readonly entry: SettingsEntry;
  suspect: boolean;
}

/**
 * Remembers which server answers for a domain and what it said about a mailbox: in memory, and in a folder or a token
 * backend. Holds no password, secret or token. Whatever is wrong with the store, discoveries go on without it.
 *
 * @example
 * ```ts
 * const cache = new AutodiscoverCache({ records: tokenBackend.records });
 * ```
 */
export class AutodiscoverCache {
  readonly #clock: Clock;
  readonly #store: CacheStore | undefined;
  readonly #endpoints: BoundedMap<EndpointEntry>;
  readonly #settings: BoundedMap<Remembered>;
  readonly #negatives: BoundedMap<{ readonly error: AutodiscoverError; readonly until: number }>;

  constructor(options: AutodiscoverCacheOptions = {}) {
    const checked = strictOptions('AutodiscoverCache', options, ['records', 'folder', 'memoryOnly', 'maxEntries', 'clock']);
    const { records, folder, memoryOnly = false, maxEntries = 10_000, clock = systemClock } = checked;
    if ([records !== undefined, folder !== undefined, memoryOnly].filter(Boolean).length > 1)
      throw invalidArgument('AutodiscoverCache: give one of records, folder and memoryOnly.');
    this.#clock = clock;
    if (records) this.#store = new RecordsStore(records);
    else if (!memoryOnly) this.#store = new FolderStore(folder ?? defaultCacheFolder());
    this.#endpoints = new BoundedMap(maxEntries);
    this.#settings = new BoundedMap(maxEntries);
    this.#negatives = new BoundedMap(maxEntries);
  }

  /** Number of mailboxes remembered in memory. */
  get size(): number {
    return this.#settings.size;
  }

  /** @internal */
  async getEndpoint(key: string): Promise<EndpointEntry | undefined> {
    const known = this.#endpoints.get(key);
    if (known) return known;
    const entry = await this.#read('endpoint', key);
    if (entry) this.#endpoints.set(key, entry);
    return entry;
  }
  /** @internal */
  async setEndpoint(key: string, url: string): Promise<void> {
    const entry = { url, storedAt: this.#clock.now() };
    this.#endpoints.set(key, entry);
    await this.#write('endpoint', key, entry);
  }
  /** @internal */
  async deleteEndpoint(key: string): Promise<void> {
    this.#endpoints.delete(key);
    await this.#store?.remove(nameOf('endpoint', key));
  }

  /** @internal What is in memory, without waiting for anything. */
  peekSettings(key: string): (Remembered & { readonly layer: CacheLayer }) | undefined {
    const known = this.#settings.get(key);
    return known && { ...known, layer: 'memory' };
  }
  /** @internal */
  async getSettings(key: string, persist: boolean): Promise<(Remembered & { readonly layer: CacheLayer }) | undefined> {
    const known = this.peekSettings(key);
    if (known || !persist) return known;
    const entry = await this.#read('settings', key);
    if (!entry) return undefined;
    this.#settings.set(key, { entry, suspect: false });
    return { entry, suspect: false, layer: 'store' };
  }
  /** @internal */
  async setSettings(key: string, entry: SettingsEntry, persist: boolean): Promise<void> {
    this.#settings.set(key, { entry, suspect: false });
    this.#negatives.delete(key);
    if (persist) await this.#write('settings', key, entry);
  }
  /** @internal */
  async deleteSettings(key: string): Promise<void> {
    this.#settings.delete(key);
    await this.#store?.remove(nameOf('settings', key));
  }
  /** @internal The service named by these settings does not answer: look again at the next discovery. */
  suspectSettings(key: string): void {
    const known = this.#settings.get(key);
    if (known) known.suspect = true;
  }

  /** @internal */
  getNegative(key: string): AutodiscoverError | undefined {
    const known = this.#negatives.get(key);
    return known && known.until > this.#clock.monotonic() ? known.error : undefined;
  }
  /** @internal In memory only, and for minutes: a mailbox that was missing may be there soon. */
  setNegative(key: string, error: AutodiscoverError): void {
    this.#negatives.set(key, { error, until: this.#clock.monotonic() + NEGATIVE_MS });
  }

  /** Forgets everything, in memory and in the store. */
  async clear(): Promise<void> {
    this.#endpoints.clear();
    this.#settings.clear();
    this.#negatives.clear();
    await this.#store?.clear();
  }

  async #read<Kind extends 'endpoint' | 'settings'>(kind: Kind, key: string) {
    const name = nameOf(kind, key);
    const text = await this.#store?.read(name);
    if (text === undefined) return undefined;
    const entry = readEntry(kind, text, { key: digest(key), now: this.#clock.now() });
    if (!entry) await this.#store?.remove(name);
    return entry;
  }
  async #write(kind: 'endpoint' | 'settings', key: string, entry: EndpointEntry | SettingsEntry): Promise<void> {
    const text = writeEntry(digest(key), entry);
    // What would not be read back need not be written.
    if (Buffer.byteLength(text) <= MAX_ENTRY_BYTES) await this.#store?.write(nameOf(kind, key), text);
  }

  toString(): string {
    return `AutodiscoverCache(${this.size})`;
  }
}

function nameOf(kind: 'endpoint' | 'settings', key: string): string {
  return `${kind}-${digest(key)}`;
}
/** Names of files and records tell nothing about whose mailbox they are. */
function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
