import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { args, hangUp, onMessage, say } from '../../../../test-support/talk.ts';

/** Reads one record until told to stop; says how often, and everything that was neither the old record nor the new one. */
const [tokenPath] = args as [string];
const { records } = new FileSystemTokenBackend({ tokenPath });
const faults: string[] = [];
let stopped = false;
onMessage(() => {
  stopped = true;
});
say('ready');
let [reads, last] = [0, 0];
while (!stopped) {
  try {
    const record = await records.read('counter');
    if (record && record !== 'not-modified') {
      const { count, filler } = JSON.parse(Buffer.from(record.data).toString()) as { count: number; filler: string };
      if (filler !== `${count},`.repeat(700)) faults.push(`torn at ${count}`);
      if (count < last) faults.push(`${count} after ${last}`);
      last = count;
    } else if (last > 0) faults.push('absent');
  } catch (error) {
    faults.push(String(error));
  }
  reads += 1;
}
say({ reads, faults });
hangUp();
