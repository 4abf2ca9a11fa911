import {
  BackendAccessDeniedError,
  BackendUnavailableError,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import { SharedMapBackend } from '../shared-map.js';
import { broken } from './backend.js';

type Found = StoredRecord | 'not-modified' | undefined;

class TakesAnOutageForAbsence extends SharedMapBackend {
  protected override async readRecord(name: string, options: ReadOptions): Promise<Found> {
    return super.readRecord(name, options).catch((error: unknown) => {
      if (BackendUnavailableError.is(error)) return undefined;
      throw error;
    });
  }
}

class TakesADenialForAnOutage extends SharedMapBackend {
  protected override async readRecord(name: string, options: ReadOptions): Promise<Found> {
    return super.readRecord(name, options).catch((error: unknown) => {
      if (BackendAccessDeniedError.is(error)) throw new BackendUnavailableError('Something is wrong.', { cause: error });
      throw error;
    });
  }
}

const CORRUPT = '{"RefreshToken":';

class TakesCorruptionForAbsence extends SharedMapBackend {
  protected override async readRecord(name: string, options: ReadOptions): Promise<Found> {
    const found = await super.readRecord(name, options);
    return typeof found === 'object' && Buffer.from(found.data).toString() === CORRUPT ? undefined : found;
  }

  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions) {
    const { data: now } = this.map.records.get(name) ?? {};
    if (now && Buffer.from(now).toString() === CORRUPT) this.map.records.delete(name);
    return super.writeRecord(name, data, options);
  }
}

class NeverForgets extends SharedMapBackend {
  readonly #seen = new Map<string, StoredRecord>();

  protected override async readRecord(name: string, options: ReadOptions): Promise<Found> {
    const found = await super.readRecord(name, options);
    if (typeof found === 'object') this.#seen.set(name, found);
    return found ?? this.#seen.get(name);
  }

  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions) {
    return super.writeRecord(name, data, options).catch((error: unknown) => {
      this.#seen.delete(name);
      throw error;
    });
  }
}

class NeverRecovers extends SharedMapBackend {
  #failure: unknown;

  protected override async readRecord(name: string, options: ReadOptions): Promise<Found> {
    if (this.#failure) throw this.#failure;
    return super.readRecord(name, options).catch((error: unknown) => {
      if (!options.signal?.aborted) this.#failure = error;
      throw error;
    });
  }
}

class ListsOnePage extends SharedMapBackend {
  protected override async *listRecords(options: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    let left = 100;
    for await (const name of super.listRecords(options)) if (left-- > 0) yield name;
  }
}

class RemovesByPrefix extends SharedMapBackend {
  protected override async removeRecord(name: string, options: RemoveOptions): Promise<boolean> {
    const removed = await super.removeRecord(name, options);
    for (const other of [...this.map.records.keys()]) if (other.startsWith(name)) this.map.records.delete(other);
    return removed;
  }
}

class MissesWhatItWasToRemove extends SharedMapBackend {
  protected override async removeRecord(name: string, options: RemoveOptions): Promise<boolean> {
    if (options.expect !== 'anything' && !this.map.records.has(name)) throw new VersionConflictError(name);
    return super.removeRecord(name, options);
  }
}

class AlwaysHasRemovedSomething extends SharedMapBackend {
  protected override async removeRecord(name: string, options: RemoveOptions): Promise<boolean> {
    await super.removeRecord(name, options);
    return true;
  }
}

export const brokenReads = [
  broken('answers an outage as absence', (map, options) => new TakesAnOutageForAbsence(map, options)),
  broken('answers a denial as an outage', (map, options) => new TakesADenialForAnOutage(map, options)),
  broken('answers a corrupt record as absence', (map, options) => new TakesCorruptionForAbsence(map, options)),
  broken('returns the record it remembers after somebody removed it', (map, options) => new NeverForgets(map, options)),
  broken('remembers its first failure', (map, options) => new NeverRecovers(map, options)),
  broken('lists only the first page', (map, options) => new ListsOnePage(map, options)),
  broken('removes everything that begins with the name', (map, options) => new RemovesByPrefix(map, options)),
  broken('calls it a conflict that a record is gone already', (map, options) => new MissesWhatItWasToRemove(map, options)),
  broken('always claims to have removed a record', (map, options) => new AlwaysHasRemovedSomething(map, options)),
];
