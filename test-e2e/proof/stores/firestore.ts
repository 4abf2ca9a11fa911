import { randomUUID } from 'node:crypto';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import type { ProofBackend } from '../backends.ts';

let emulator: Promise<string> | undefined;

/** One emulator for all stores of a run; it ends with the process. */
async function start(): Promise<string> {
  const { startEmulator } = await import('../../../packages/firestore/test/emulator.ts');
  return (await startEmulator()).host;
}

/** A collection for each store. */
export const firestore: ProofBackend = {
  name: 'firestore',
  processes: true,
  folder: false,
  saveSteps: [],
  async prepare() {
    emulator ??= start();
    const location = JSON.stringify({ host: await emulator, collection: `proof-${randomUUID()}` });
    return { location, destroy: async () => {} };
  },
  open(location) {
    const { host, collection } = JSON.parse(location);
    return new FirestoreTokenBackend({ collection, clientOptions: { projectId: 'demo-proof', host, ssl: false } });
  },
};
