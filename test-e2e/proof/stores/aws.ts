import { randomUUID } from 'node:crypto';
import { RedisLeases } from '@tokenry/redis';
import { S3TokenBackend } from '@tokenry/s3';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import type { ProofBackend, StoreNetwork } from '../backends.ts';
import { redis } from './redis.ts';

interface Emulator {
  readonly endpoint: string;
  stop(): Promise<void>;
}

let emulator: Promise<Emulator> | undefined;

/**
 * One emulator for all stores of a run. It compares and writes in two steps, unlike the services it stands for, so it is
 * passed one request at a time.
 */
async function endpoint(): Promise<string> {
  emulator ??= start();
  return (await emulator).endpoint;
}

async function end(): Promise<void> {
  const running = emulator;
  emulator = undefined;
  await (await running)?.stop();
}

async function start(): Promise<Emulator> {
  const [{ MotoServer }, { Gate }] = await Promise.all([
    import('../../../packages/s3/test/servers/moto-server.ts'),
    import('../../../packages/s3/test/servers/gate.ts'),
  ]);
  const server = await MotoServer.start();
  const gate = await Gate.open(server.port);
  gate.intercept = () => {
    gate.seen.length = 0; // nobody counts here
    return undefined;
  };
  return {
    endpoint: gate.endpoint,
    async stop() {
      await gate.close();
      await server.stop();
    },
  };
}

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-TEST-1' };
const clientOptions = (at: string) => ({ endpoint: at, region: 'us-east-1', credentials });

const network = {
  portOf: (location) => Number(new URL(JSON.parse(location).at).port),
  through: (location, port) => JSON.stringify({ ...JSON.parse(location), at: `http://127.0.0.1:${port}` }),
  // "Go on" is none.
  beginsAnswer: (data) => !data.toString('latin1', 0, 12).endsWith(' 100'),
} satisfies Partial<StoreNetwork>;

/** A bucket for each store. */
export const s3: ProofBackend = {
  name: 's3',
  title: 'S3, by `moto_server`, which is passed one request at a time: its own writes are not atomic, as those of S3 are',
  processes: true,
  folder: false,
  saveSteps: [],
  emulated: true,
  network: { ...network, saveRequests: [{ name: 'save', holds: 'RefreshToken' }] },
  async prepare() {
    const at = await endpoint();
    const bucketName = `proof-${randomUUID()}`;
    const { ok, status } = await fetch(`${at}/${bucketName}`, { method: 'PUT' });
    if (!ok) throw new Error(`the emulator made no bucket: ${status}`);
    return { location: JSON.stringify({ at, bucketName }), destroy: async () => {} };
  },
  open(location) {
    const { at, bucketName } = JSON.parse(location);
    return new S3TokenBackend({ bucketName, clientOptions: { ...clientOptions(at), forcePathStyle: true } });
  },
  end,
};

const lent = new Map<string, RedisLeases>();

/** A name of a secret for each store, and a Redis that lends the leases. */
export const secretsManager: ProofBackend = {
  name: 'secrets-manager',
  title:
    'Secrets Manager, by `moto_server`, which is passed one request at a time: its own writes are not atomic, as those of the service are. The leases lie in a `redis-server`',
  processes: true,
  folder: false,
  saveSteps: [],
  emulated: true,
  network: {
    ...network,
    saveRequests: [
      { name: 'new version', holds: 'RefreshToken' },
      { name: 'move of AWSCURRENT', holds: 'UpdateSecretVersionStage' },
    ],
  },
  async prepare() {
    const [at, leases] = await Promise.all([endpoint(), redis.prepare()]);
    const location = JSON.stringify({ at, secretName: `proof-${randomUUID()}`, ...JSON.parse(leases.location) });
    return {
      location,
      async destroy() {
        await lent.get(location)?.close();
        lent.delete(location);
        await leases.destroy();
      },
    };
  },
  open(location) {
    const { at, secretName, port } = JSON.parse(location);
    const leases = lent.get(location) ?? new RedisLeases({ clientOptions: { host: '127.0.0.1', port } });
    lent.set(location, leases);
    return new SecretsManagerTokenBackend({ secretName, leases, clientOptions: clientOptions(at) });
  },
  end,
};
