import { Firestore, Timestamp } from '@google-cloud/firestore';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import { missingEmulator, startEmulator } from '../../packages/firestore/test/emulator.ts';
import type { BenchStore } from './store.ts';

/** A write with the update time that was read as its precondition. */
export const firestore: BenchStore = {
  name: 'firestore',
  rounds: 300,
  warmUp: 100,
  isHere: () => missingEmulator() === undefined,
  async start() {
    const emulator = await startEmulator();
    const client = new Firestore({ projectId: 'demo-bench', host: emulator.host, ssl: false });
    const documentOf = (tokenKey: string) => client.collection('bench').doc(tokenKey);
    return {
      open: (recordCache = {}) => new FirestoreTokenBackend({ collection: 'bench', client, recordCache }),
      bare: {
        async read(tokenKey) {
          const snapshot = await documentOf(tokenKey).get();
          const { seconds, nanoseconds } = snapshot.updateTime ?? Timestamp.fromMillis(0);
          return { text: String(snapshot.get('token')), version: `${seconds}.${nanoseconds}` };
        },
        async save(tokenKey, text, version) {
          const [seconds = 0, nanoseconds = 0] = version.split('.').map(Number);
          await documentOf(tokenKey).update({ token: text }, { lastUpdateTime: new Timestamp(seconds, nanoseconds) });
        },
      },
      async stop() {
        await client.terminate();
        await emulator.stop();
      },
    };
  },
};
