import { FirestoreTokenBackend } from '@tokenry/firestore';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Tries to take each of the leases once, all rivals at the same time, and says which it got. */
const [collection, names] = args as [string, readonly string[]];
const backend = new FirestoreTokenBackend({ collection, timeoutMs: 60_000 });
await backend.records.read('warm-up');
say('ready');
process.once('message', () => void run());

async function run(): Promise<void> {
  const request = { owner: `p${process.pid}`, ttlMs: 60_000 };
  const answers = await Promise.all(names.map((name) => backend.leases.tryAcquire(name, request)));
  say({ got: names.filter((_, n) => answers[n]?.acquired) });
  await backend.close();
  hangUp();
}
