import type { RecordStore } from '@tokenry/core';
import { type CacheStore, FORMAT, MAX_ENTRY_BYTES } from './cache-store.js';

const PREFIX = `autodiscover/${FORMAT}/`;

/** Entries as records of a token backend, under a prefix of their own. A store that cannot be reached is an empty cache. */
export class RecordsStore implements CacheStore {
  readonly #records: RecordStore;
  constructor(records: RecordStore) {
    this.#records = records;
  }

  async read(name: string): Promise<string | undefined> {
    try {
      const record = await this.#records.read(`${PREFIX}${name}`);
      if (record === undefined || record === 'not-modified' || record.data.byteLength > MAX_ENTRY_BYTES) return undefined;
      return new TextDecoder().decode(record.data);
    } catch {
      return undefined; // unreachable, denied, undecryptable: discovery goes on without
    }
  }

  async write(name: string, text: string): Promise<void> {
    // Entries are whole and independent: the last writer wins, and nothing is lost that cannot be found again.
    await this.#records.write(`${PREFIX}${name}`, new TextEncoder().encode(text), { expect: 'anything' }).catch(() => undefined);
  }

  async remove(name: string): Promise<void> {
    await this.#records.remove(`${PREFIX}${name}`, { expect: 'anything' }).catch(() => undefined);
  }

  async clear(): Promise<void> {
    try {
      const names: string[] = [];
      for await (const key of this.#records.list()) if (key.startsWith(PREFIX)) names.push(key.slice(PREFIX.length));
      await Promise.all(names.map((name) => this.remove(name)));
    } catch {
      // A store that cannot list keeps its entries until they expire.
    }
  }
}
