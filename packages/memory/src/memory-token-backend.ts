import {
  type BackendCapabilities,
  BaseTokenBackend,
  type BaseTokenBackendOptions,
  InProcessLeases,
  type LeaseProvider,
  type RemoveOptions,
  type StoredRecord,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';

const CAPABILITIES: BackendCapabilities = Object.freeze({
  conditionalWrites: true,
  leases: true,
  list: true,
  durable: false,
  shared: false,
});

/**
 * Keeps records in this object: they end with it, and no other instance sees them. For tests, for app-only tokens that
 * cost one call to obtain again, and as a base for backends of your own.
 *
 * @example
 * ```ts
 * const account = new Account(['client-id', 'secret'], { tokenBackend: new MemoryTokenBackend() });
 * ```
 */
export class MemoryTokenBackend extends BaseTokenBackend {
  readonly #records = new Map<string, { readonly data: Uint8Array; readonly version: string }>();
  readonly #leases: LeaseProvider;
  #writes = 0;

  constructor(options?: BaseTokenBackendOptions) {
    super({ capabilities: CAPABILITIES }, options);
    this.#leases = new InProcessLeases(options?.clock ? { clock: options.clock } : {});
  }

  protected async readRecord(name: string): Promise<StoredRecord | undefined> {
    const record = this.#records.get(name);
    return record && { data: record.data.slice(), version: record.version };
  }

  /** Without `options` it writes over whatever is there. */
  protected async writeRecord(name: string, data: Uint8Array, options?: WriteOptions): Promise<string> {
    this.#compare(name, options?.expect ?? 'anything');
    const version = String(++this.#writes);
    this.#records.set(name, { data: data.slice(), version });
    return version;
  }

  protected async removeRecord(name: string, options?: RemoveOptions): Promise<boolean> {
    if (this.#records.has(name)) this.#compare(name, options?.expect ?? 'anything');
    return this.#records.delete(name);
  }

  protected override async *listRecords(): AsyncIterable<string> {
    yield* [...this.#records.keys()];
  }

  protected override leaseProvider(): LeaseProvider {
    return this.#leases;
  }

  // Nothing is awaited between this and the change: in one process that makes the pair atomic.
  #compare(name: string, expect: WriteOptions['expect']): void {
    if (expect === 'anything') return;
    const version = this.#records.get(name)?.version;
    if (version !== (expect === 'absent' ? undefined : expect.version)) throw new VersionConflictError(name);
  }
}
