import type { RecordStore } from '@tokenry/core/backend';
import { hangUp, say } from './talk.ts';

/** Counts up in one record by compare-and-swap, so many times; says how many conflicts it met. */
export async function countUp(records: RecordStore, times: number): Promise<void> {
  let conflicts = 0;
  say('ready');
  for (let saved = 0; saved < times; ) {
    const record = await records.read('counter');
    if (record === 'not-modified') throw new Error('nobody asked');
    const count = 1 + (record ? Number(JSON.parse(Buffer.from(record.data).toString())) : 0);
    try {
      await records.write('counter', Buffer.from(String(count)), { expect: record ? { version: record.version } : 'absent' });
      saved += 1;
    } catch (error) {
      if ((error as { code?: string }).code !== 'TOKENRY_VERSION_CONFLICT') throw error;
      conflicts += 1;
    }
  }
  say({ saved: times, conflicts });
  hangUp();
}
