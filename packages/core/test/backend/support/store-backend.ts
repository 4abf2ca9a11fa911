import { BaseTokenBackend, type BaseTokenBackendOptions, type OwnBackend } from '../../../src/backend/base-token-backend.js';
import type { BackendCapabilities, ReadOptions, RemoveOptions, WriteOptions } from '../../../src/backend/token-backend.js';
import { AsyncStore } from './async-store.js';

export const CAPABILITIES: BackendCapabilities = {
  conditionalWrites: true,
  leases: true,
  list: true,
  durable: true,
  shared: true,
};

/** A backend as its author would write it, on a store that tests can look into and break. */
export class StoreBackend extends BaseTokenBackend {
  readonly store: AsyncStore;
  closed = 0;

  constructor(options: BaseTokenBackendOptions & { readonly store?: AsyncStore; readonly own?: Partial<OwnBackend> } = {}) {
    const { store = new AsyncStore(), own = {}, ...rest } = options;
    super({ capabilities: CAPABILITIES, ...own }, rest);
    this.store = store;
  }
  protected readRecord(name: string, options: ReadOptions) {
    return this.store.read(name, options);
  }
  protected writeRecord(name: string, data: Uint8Array, options: WriteOptions) {
    return this.store.write(name, data, options);
  }
  protected removeRecord(name: string, options: RemoveOptions) {
    return this.store.remove(name, options);
  }
  protected override async *listRecords() {
    yield* [...this.store.records.keys()];
  }
  override checkRecentSaves() {
    return super.checkRecentSaves();
  }
  protected override async closeResources() {
    this.closed += 1;
  }
}
