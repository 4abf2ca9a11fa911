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
  title: 'Firestore, by Google’s emulator',
  processes: true,
  folder: false,
  saveSteps: [],
  emulated: true,
  network: {
    portOf: (location) => Number(JSON.parse(location).host.split(':')[1]),
    through: (location, port) => JSON.stringify({ ...JSON.parse(location), host: `127.0.0.1:${port}` }),
    saveRequests: [{ name: 'save', holds: 'RefreshToken' }],
    beginsAnswer,
  },
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

/** Whether HTTP/2 frames (RFC 9113, 4.1) hold HEADERS; the server also acknowledges settings, pings and bytes. */
function beginsAnswer(data: Buffer): boolean {
  for (let at = 0; at + 9 <= data.length; at += 9 + data.readUIntBE(at, 3)) if (data[at + 3] === 1) return true;
  return false;
}
