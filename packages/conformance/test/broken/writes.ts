import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { VersionConflictError, type WriteOptions } from '@tokenry/core/backend';
import { SharedMapBackend } from '../shared-map.js';
import { broken } from './backend.js';

/** Long enough for everyone who set out together to arrive, on a busy machine too. */
const moment = (ms = 15) => delay(ms);

class IgnoresExpectations extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, { signal }: WriteOptions): Promise<string> {
    await this.map.arrive(signal);
    return this.map.put(name, data);
  }
}

class ComparesTooEarly extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string> {
    await this.map.arrive(signal);
    const version = this.map.records.get(name)?.version;
    const expected = typeof expect === 'object' ? expect.version : undefined;
    if (expect !== 'anything' && version !== expected) throw new VersionConflictError(name);
    // A creation has one chance to meet its rivals, an update many.
    await moment(expect === 'absent' ? 60 : 15);
    return this.map.put(name, data);
  }
}

class WritesInTwoHalves extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    await super.writeRecord(name, data.slice(0, data.length / 2), options);
    await turn();
    return this.map.put(name, data);
  }
}

class RemovesBeforeItWrites extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    await super.writeRecord(name, data, options);
    this.map.records.delete(name);
    await moment();
    return this.map.put(name, data);
  }
}

class BringsRemovedRecordsBack extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions) {
    const removed = typeof options.expect === 'object' && !this.map.records.has(name);
    return super.writeRecord(name, data, removed ? { ...options, expect: 'absent' } : options);
  }
}

class KeepsHalfOfAnAbortedWrite extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions) {
    for (let turns = 0; turns < 6; turns++) await turn();
    if (signal?.aborted) this.map.put(name, data.slice(0, data.length / 2));
    return super.writeRecord(name, data, { expect, ...(signal ? { signal } : {}) });
  }
}

class KeepsTheCallersBuffer extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    const version = String(await super.writeRecord(name, data, options));
    this.map.records.set(name, { data, version });
    return version;
  }
}

class CutsLargeRecords extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions) {
    return super.writeRecord(name, data.slice(0, 65_536), options);
  }
}

class WritesLatin1 extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions) {
    return super.writeRecord(name, Buffer.from(Buffer.from(data).toString('utf8'), 'latin1'), options);
  }
}

class TakesTheSizeForTheVersion extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    await super.writeRecord(name, data, options);
    const version = String(data.length);
    this.map.records.set(name, { data: data.slice(), version });
    return version;
  }
}

class KeepsItsVersionsToItself extends SharedMapBackend {
  protected override async writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<void> {
    await super.writeRecord(name, data, options);
  }
}

export const brokenWrites = [
  broken('ignores what a write expects', (map, options) => new IgnoresExpectations(map, options)),
  broken('compares, and writes a moment later', (map, options) => new ComparesTooEarly(map, options)),
  broken('writes in two halves', (map, options) => new WritesInTwoHalves(map, options)),
  broken('removes a record before it writes it', (map, options) => new RemovesBeforeItWrites(map, options)),
  broken('lets a late write bring a removed record back', (map, options) => new BringsRemovedRecordsBack(map, options)),
  broken('keeps half of an aborted write', (map, options) => new KeepsHalfOfAnAbortedWrite(map, options)),
  broken("keeps the caller's buffer", (map, options) => new KeepsTheCallersBuffer(map, options)),
  broken('cuts large records', (map, options) => new CutsLargeRecords(map, options)),
  broken('stores text in a smaller alphabet', (map, options) => new WritesLatin1(map, options)),
  broken('takes the size of a record for its version', (map, options) => new TakesTheSizeForTheVersion(map, options)),
  broken('reads versions that its writes do not report', (map, options) => new KeepsItsVersionsToItself(map, options)),
];
