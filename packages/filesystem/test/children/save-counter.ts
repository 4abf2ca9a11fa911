import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Counts up in one record by compare-and-swap: so many times, forever, or forever and confirming each save. */
const [tokenPath, times] = args as [string, number | 'forever' | 'confirm'];
const { records } = new FileSystemTokenBackend({ tokenPath });
const limit = typeof times === 'number' ? times : Number.POSITIVE_INFINITY;

async function increment(): Promise<number> {
  for (;;) {
    const record = await records.read('counter');
    if (record === 'not-modified') throw new Error('nobody asked');
    const count = 1 + (record ? (JSON.parse(Buffer.from(record.data).toString()) as { count: number }).count : 0);
    const data = Buffer.from(JSON.stringify({ count, filler: `${count},`.repeat(700) }));
    try {
      await records.write('counter', data, { expect: record ? { version: record.version } : 'absent' });
      return count;
    } catch (error) {
      if ((error as { code?: string }).code !== 'TOKENRY_VERSION_CONFLICT') throw error;
    }
  }
}

say('ready');
for (let saved = 0; saved < limit; saved++) {
  const count = await increment();
  if (times === 'confirm') say({ saved: count });
}
say({ saved: limit });
hangUp();
