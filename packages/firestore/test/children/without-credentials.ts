import { FirestoreTokenBackend } from '@tokenry/firestore';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Uses a backend whose settings name no usable credentials, in every way, and says what each way is answered with. */
const [settings] = args as [Record<string, unknown>];
const backend = new FirestoreTokenBackend({ collection: 'tokens', clientOptions: settings, timeoutMs: 20_000 });
const { records, leases } = backend;
const uses = [
  () => records.read('user'),
  () => records.write('user', Buffer.from('1'), { expect: 'anything' }),
  () => records.remove('user', { expect: 'anything' }),
  async () => {
    for await (const key of backend.listKeys()) say({ key });
  },
  () => leases.tryAcquire('job', { owner: 'me', ttlMs: 1_000 }),
];
const codes: unknown[] = [];
const texts: string[] = [];
for (const use of uses) {
  const [outcome] = await Promise.allSettled([use()]);
  const error = (outcome.status === 'rejected' ? outcome.reason : undefined) as { readonly code?: unknown } | undefined;
  codes.push(error?.code);
  texts.push(`${String(error)} ${String((error as { readonly cause?: unknown } | undefined)?.cause)}`);
}
await backend.close();
// What rejects unheard ends the process a few turns later.
await new Promise((resolve) => setTimeout(resolve, 200));
say({ codes, texts });
hangUp();
