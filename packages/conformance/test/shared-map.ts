import { setImmediate as turn } from 'node:timers/promises';
import {
  BackendAccessDeniedError,
  type BackendCapabilities,
  BackendUnavailableError,
  BaseTokenBackend,
  type BaseTokenBackendOptions,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  type TokenBackend,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import type { TestStore } from '../src/index.js';

interface MapRecord {
  readonly data: Uint8Array;
  readonly version: string;
}

/** A "server" in this process: many backends share it, each request takes a few turns of the event loop. */
export class SharedMap {
  readonly records = new Map<string, MapRecord>();
  trouble: 'unreachable' | 'denied' | undefined;
  #writes = 0;

  /** Every request: it can be aborted on the way, and meets whatever trouble there is. */
  async arrive(signal?: AbortSignal): Promise<void> {
    for (let turns = Math.floor(Math.random() * 3); turns >= 0; turns--) await turn();
    signal?.throwIfAborted();
    if (this.trouble === 'unreachable') throw new BackendUnavailableError('The map does not answer.');
    if (this.trouble === 'denied') throw new BackendAccessDeniedError('The map is closed to you.');
  }

  put(name: string, data: Uint8Array): string {
    const version = String(++this.#writes);
    this.records.set(name, { data: data.slice(), version });
    return version;
  }
}

export const MAX_RECORD_BYTES = 600_000;

/** The reference: a shared store with conditional writes and nothing else of its own. */
export class SharedMapBackend extends BaseTokenBackend {
  readonly map: SharedMap;

  constructor(map: SharedMap, options: BaseTokenBackendOptions, claims: Partial<BackendCapabilities> = {}) {
    const capabilities = { conditionalWrites: true, leases: true, list: true, durable: true, shared: true };
    super({ capabilities: { ...capabilities, maxRecordBytes: MAX_RECORD_BYTES, ...claims } }, options);
    this.map = map;
  }

  protected async readRecord(name: string, { signal }: ReadOptions): Promise<StoredRecord | 'not-modified' | undefined> {
    await this.map.arrive(signal);
    const record = this.map.records.get(name);
    return record && { data: record.data.slice(), version: record.version };
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: as in the base class
  protected async writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string | void> {
    await this.map.arrive(signal);
    const version = this.map.records.get(name)?.version;
    if (expect === 'absent' && version !== undefined) throw new VersionConflictError(name);
    if (typeof expect === 'object' && version !== expect.version) throw new VersionConflictError(name);
    return this.map.put(name, data);
  }

  protected async removeRecord(name: string, { expect, signal }: RemoveOptions): Promise<boolean> {
    await this.map.arrive(signal);
    const version = this.map.records.get(name)?.version;
    if (version !== undefined && typeof expect === 'object' && version !== expect.version) throw new VersionConflictError(name);
    return this.map.records.delete(name);
  }

  protected override async *listRecords({ signal }: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    await this.map.arrive(signal);
    for (const name of [...this.map.records.keys()]) yield name;
  }
}

type OpenBackend = (map: SharedMap, options: BaseTokenBackendOptions) => TokenBackend;

/** Everything a TestStore can offer, on one shared map. `open` makes the instance: a sound one or a broken one. */
export function mapStore(open: OpenBackend = (map, options) => new SharedMapBackend(map, options), keyPrefix = ''): TestStore {
  const map = new SharedMap();
  const suffer = (trouble: 'unreachable' | 'denied') => async () => {
    map.trouble = trouble;
    return async () => {
      map.trouble = undefined;
    };
  };
  return {
    open: async (options) => open(map, options),
    readRaw: async (key) => map.records.get(keyPrefix + key)?.data,
    faults: {
      unreachable: suffer('unreachable'),
      denied: suffer('denied'),
      corrupt: async (key) => void map.put(keyPrefix + key, Buffer.from('{"RefreshToken":')),
    },
    destroy: async () => map.records.clear(),
  };
}
