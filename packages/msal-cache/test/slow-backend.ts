import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredRecord, WriteOptions } from '@tokenry/core/backend';
import { MemoryTokenBackend } from '@tokenry/memory';

/** A store that takes a random time to answer, up to `maxMs`. */
export class SlowBackend extends MemoryTokenBackend {
  readonly #maxMs: number;
  writes = 0;

  constructor(maxMs: number) {
    super({ recordCache: { maxRecords: 10 } });
    this.#maxMs = maxMs;
  }

  protected override async readRecord(name: string): Promise<StoredRecord | undefined> {
    const found = await super.readRecord(name);
    await this.#answer();
    return found;
  }

  protected override async writeRecord(name: string, data: Uint8Array, options?: WriteOptions): Promise<string> {
    await this.#answer();
    this.writes++;
    return super.writeRecord(name, data, options);
  }

  async #answer(): Promise<void> {
    if (this.#maxMs > 0) await sleep(Math.random() * this.#maxMs);
  }
}
