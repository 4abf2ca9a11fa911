import { BaseTokenBackend, type StoredRecord } from '@tokenry/core';
import { record } from './fixture.ts';
import type { Benchmark } from './row.ts';

const RECORDS = 100_000;
const BOUND = 10_000;

/** A store that makes its records when they are read, so that nothing but the record cache takes memory. */
class MadeUpRecords extends BaseTokenBackend {
  readonly #text = record(0).serialize();

  constructor() {
    const capabilities = { conditionalWrites: true, leases: true, list: false, durable: true, shared: true };
    super({ capabilities, id: 'made-up' }, { recordCache: { maxRecords: BOUND } });
  }

  protected async readRecord(name: string): Promise<StoredRecord> {
    return { data: Buffer.from(this.#text.replace('at-TEST-0', `at-TEST-${name}`)) };
  }

  protected async writeRecord(): Promise<string> {
    throw new Error('nobody writes here');
  }

  protected async removeRecord(): Promise<boolean> {
    throw new Error('nobody removes here');
  }
}

/** 100 000 records go through a cache for 10 000: what stays is 10 000. */
export const cacheBound: Benchmark = async (progress) => {
  progress('100 000 records through a cache for 10 000');
  const backend = new MadeUpRecords();
  const before = heap();
  const touch = async (from: number, to: number) => {
    for (let index = from; index < to; index++) await backend.loadToken({ tokenKey: `record-${index}` });
    return (heap() - before) / 1024;
  };
  const atBound = await touch(0, BOUND);
  const atEnd = await touch(BOUND, RECORDS);
  await backend.close();
  return [
    {
      measure: 'memory after 10 000 records',
      ours: atBound / BOUND,
      unit: 'KB',
      target: '≤ 12 KB per record',
      met: atBound / BOUND <= 12,
    },
    {
      measure: 'memory after 100 000, of which 10 000 are kept',
      ours: atEnd / BOUND,
      bare: atBound / BOUND,
      unit: 'KB',
      target: '≤ 1.05× that after 10 000',
      met: atEnd / atBound <= 1.05,
    },
  ];
};

function heap(): number {
  if (!globalThis.gc) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
