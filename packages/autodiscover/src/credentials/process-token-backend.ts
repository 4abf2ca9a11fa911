import { BaseTokenBackend, type StoredRecord } from '@tokenry/core';

/** Keeps tokens as long as this process lives: for credentials that were given no backend. */
export class ProcessTokenBackend extends BaseTokenBackend {
  readonly #records = new Map<string, Uint8Array>();

  constructor() {
    super({ capabilities: { conditionalWrites: false, leases: false, list: false, durable: false, shared: false } });
  }

  protected async readRecord(key: string): Promise<StoredRecord | undefined> {
    const data = this.#records.get(key);
    return data && { data };
  }

  protected async writeRecord(key: string, data: Uint8Array): Promise<void> {
    this.#records.set(key, data);
  }

  protected async removeRecord(key: string): Promise<boolean> {
    return this.#records.delete(key);
  }
}
