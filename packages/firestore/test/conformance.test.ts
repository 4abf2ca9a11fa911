import { randomUUID } from 'node:crypto';
import { Firestore, type Settings } from '@google-cloud/firestore';
import type { CreateStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName } from '@tokenry/core/backend';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import { afterAll } from 'vitest';
import { addConformanceTests, combined, waysOfUse } from '../../../test-support/conformance.ts';
import { whereThereIs } from '../../../test-support/where-there-is.ts';
import { CuttableProxy } from './cuttable-proxy.js';
import { emulatorProgram, startEmulator, userToken } from './emulator.js';

const emulator = emulatorProgram.isHere() ? await startEmulator() : undefined;
afterAll(() => emulator?.stop());

interface Kind {
  readonly extra: BaseTokenBackendOptions;
  /** One client for all instances, as programs have it that use Firestore for more than tokens. */
  readonly injected: boolean;
}

const COLLECTION = 'tenants/contoso/tokens';

/** A project of its own behind a cable of its own, asked in a user's name, who can lose the right to. */
function storesOf({ extra, injected }: Kind): CreateStore {
  return async () => {
    if (!emulator) throw new Error('no emulator');
    const projectId = `conformance-${randomUUID()}`;
    const proxy = await CuttableProxy.before(emulator.host);
    await emulator.allowUsers(projectId, true);
    const settings: Settings = {
      projectId,
      host: proxy.host,
      ssl: false,
      customHeaders: { Authorization: `Bearer ${userToken(projectId)}` },
      grpcOptions: { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 50 },
    };
    const admin = new Firestore({ projectId, host: emulator.host, ssl: false });
    const shared = injected ? new Firestore(settings) : undefined;
    const documentOf = (key: string) => admin.collection(COLLECTION).doc(encodeName((extra.keyPrefix ?? '') + key));
    return {
      open: async (options) =>
        new FirestoreTokenBackend({
          ...combined(extra, options),
          collection: COLLECTION,
          timeoutMs: 5_000,
          ...(shared ? { client: shared } : { clientOptions: settings }),
        }),
      readRaw: async (key) => {
        const value: unknown = (await documentOf(key).get()).get('token');
        return value === undefined ? undefined : Buffer.from(value as string);
      },
      faults: {
        unreachable: async () => {
          await proxy.cut();
          return () => proxy.mend();
        },
        denied: async () => {
          await emulator.allowUsers(projectId, false);
          return () => emulator.allowUsers(projectId, true);
        },
        corrupt: async (key) => {
          await documentOf(key).set({ token: '{"AccessToken": {"half' });
        },
      },
      destroy: async () => {
        await Promise.all([admin.terminate(), shared?.terminate()]);
        await emulator.clear(projectId);
        await proxy.cut();
      },
    };
  };
}

const kinds: Readonly<Record<string, Kind>> = {
  plain: { extra: waysOfUse.plain, injected: false },
  'encrypted, on an injected client': { extra: waysOfUse.encrypted, injected: true },
  'under a key prefix': { extra: waysOfUse['under a key prefix'], injected: false },
};

await whereThereIs(emulatorProgram, async () => {
  for (const [name, kind] of Object.entries(kinds)) await addConformanceTests(name, storesOf(kind), { leaseTtlMs: 1_000 });
});
