import { FirestoreTokenBackend } from '@tokenry/firestore';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Counts up by compare-and-swap in `keys` records, `times` in all, in a collection of the emulator that the environment names. */
const [collection, keys, times] = args as [string, number, number];
const backend = new FirestoreTokenBackend({ collection, timeoutMs: 60_000 });
const { records } = backend;

async function increment(key: string): Promise<number> {
  for (let conflicts = 0; ; conflicts++) {
    const record = await records.read(key);
    if (record === 'not-modified') throw new Error('nobody asked');
    const count = 1 + (record ? (JSON.parse(Buffer.from(record.data).toString()) as { count: number }).count : 0);
    try {
      await records.write(key, Buffer.from(JSON.stringify({ count })), {
        expect: record ? { version: record.version } : 'absent',
      });
      return conflicts;
    } catch (error) {
      if ((error as { code?: string }).code !== 'TOKENRY_VERSION_CONFLICT') throw error;
      // Full jitter, as the base class does between its own attempts.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(500, 10 * 2 ** conflicts)));
    }
  }
}

await records.read('warm-up');
say('ready');
process.once('message', () => void run());

async function run(): Promise<void> {
  let conflicts = 0;
  for (let n = 0; n < times; n++) conflicts += await increment(`counter-${n % keys}`);
  say({ conflicts });
  await backend.close();
  hangUp();
}
