import { randomUUID } from 'node:crypto';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import type { Emulator } from '../../../packages/firestore/test/emulator.ts';
import type { ProofBackend } from '../backends.ts';

let emulator: Promise<Emulator> | undefined;

/** One emulator for all stores of a run. */
async function start(): Promise<Emulator> {
  const { startEmulator } = await import('../../../packages/firestore/test/emulator.ts');
  return startEmulator();
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
    const location = JSON.stringify({ host: (await emulator).host, collection: `proof-${randomUUID()}` });
    return { location, destroy: async () => {} };
  },
  open(location) {
    const { host, collection } = JSON.parse(location);
    return new FirestoreTokenBackend({ collection, clientOptions: { projectId: 'demo-proof', host, ssl: false } });
  },
  async end() {
    const running = emulator;
    emulator = undefined;
    await (await running)?.stop();
  },
};

/** Whether HTTP/2 frames (RFC 9113, 4.1) hold HEADERS; the server also acknowledges settings, pings and bytes. */
function beginsAnswer(data: Buffer): boolean {
  for (let at = 0; at + 9 <= data.length; at += 9 + data.readUIntBE(at, 3)) if (data[at + 3] === 1) return true;
  return false;
}
