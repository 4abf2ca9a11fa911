import { Account } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { CLIENT, record, SCOPES, TENANT, tokenKey } from './fixture.ts';
import type { Benchmark } from './row.ts';

const RECORDS = 5_000;

/** What one decoded record costs in the record cache, with the token that was found in it. */
export const memory: Benchmark = async (progress) => {
  progress('memory per record');
  const tokenBackend = new MemoryTokenBackend({ recordCache: { maxRecords: RECORDS } });
  const account = new Account([CLIENT], { tokenBackend, tenantId: TENANT, scopes: SCOPES });
  let bytes = 0;
  for (let index = 0; index < RECORDS; index++) {
    const text = record(index).serialize();
    bytes += text.length;
    await tokenBackend.records.write(tokenKey(index), Buffer.from(text), { expect: 'anything' });
  }
  const before = heap();
  for (let index = 0; index < RECORDS; index++) await account.forKey(tokenKey(index)).getAccessToken();
  const ours = (heap() - before) / RECORDS / 1024;
  // Held until here: what nothing refers to any more is not measured.
  await account.close();
  await tokenBackend.close();
  return [
    {
      measure: `memory per cached record of ${(bytes / RECORDS / 1024).toFixed(1)} KB`,
      ours,
      unit: 'KB',
      target: '≤ 12 KB',
      met: ours <= 12,
    },
  ];
};

function heap(): number {
  if (!globalThis.gc) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
