import type { RecordHooks } from '../../../src/backend/raw-records.js';
import type { ReadOptions, RemoveOptions, StoredRecord, WriteOptions } from '../../../src/backend/token-backend.js';
import { VersionConflictError } from '../../../src/errors.js';

/** A shared store in memory whose answers take a random number of turns, with faults on demand. */
export class AsyncStore implements RecordHooks {
  readonly records = new Map<string, { data: Uint8Array; version: string }>();
  readonly calls = { read: 0, write: 0, remove: 0 };
  /** Thrown, once each, by the next operations of that kind; `commit` does the work first: the answer is lost. */
  readonly faults: { operation: 'read' | 'write' | 'remove'; error: Error; commit?: boolean; name?: string }[] = [];
  maxTurns = 0;
  #version = 0;

  async read(name: string, options: ReadOptions = {}): Promise<StoredRecord | 'not-modified' | undefined> {
    this.calls.read += 1;
    await this.#turns();
    const answer = () => {
      const record = this.records.get(name);
      if (record && record.version === options.ifNotVersion) return 'not-modified' as const;
      return record && { data: record.data.slice(), version: record.version };
    };
    return this.#answered('read', name, answer);
  }

  async write(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    this.calls.write += 1;
    await this.#turns();
    const answer = () => {
      const now = this.records.get(name)?.version;
      if (options.expect !== 'anything' && now !== (options.expect === 'absent' ? undefined : options.expect.version))
        throw new VersionConflictError(name);
      const version = `v${++this.#version}`;
      this.records.set(name, { data: data.slice(), version });
      return version;
    };
    return this.#answered('write', name, answer);
  }

  async remove(name: string, options: RemoveOptions): Promise<boolean> {
    this.calls.remove += 1;
    await this.#turns();
    const answer = () => {
      const now = this.records.get(name)?.version;
      if (now !== undefined && options.expect !== 'anything' && now !== options.expect.version)
        throw new VersionConflictError(name);
      return this.records.delete(name);
    };
    return this.#answered('remove', name, answer);
  }

  /** The next write is made at once (`committed`), and answered when `answer()` is called. */
  answerNextWriteLate(): { readonly committed: Promise<void>; readonly answer: () => void } {
    const { write } = this;
    const [committed, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.write = async (...args) => {
      this.write = write;
      const version = await write.apply(this, args);
      committed.resolve();
      await answer.promise;
      return version;
    };
    return { committed: committed.promise, answer: answer.resolve };
  }

  text(name: string): string | undefined {
    const record = this.records.get(name);
    return record && Buffer.from(record.data).toString();
  }

  async #answered<T>(operation: 'read' | 'write' | 'remove', name: string, answer: () => T): Promise<T> {
    const index = this.faults.findIndex((fault) => fault.operation === operation && (fault.name ?? name) === name);
    const fault = index < 0 ? undefined : this.faults.splice(index, 1)[0];
    if (fault && !fault.commit) throw fault.error;
    const result = answer();
    await this.#turns();
    if (fault) throw fault.error;
    return result;
  }

  async #turns(): Promise<void> {
    const turns = Math.floor(Math.random() * (this.maxTurns + 1));
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
