import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { CreateStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName } from '@tokenry/core/backend';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { addConformanceTestsOf, combined } from '../../../test-support/conformance.ts';
import { clientOptionsFor, describeOnMoto } from '../../s3/test/servers/aws.js';

await describeOnMoto('Secrets Manager', async ({ moto, gate }) => {
  const clientOptions = clientOptionsFor(gate);
  const shared = new SecretsManagerClient(clientOptions);
  const direct = new SecretsManagerClient(clientOptionsFor(moto));

  const storesWith = (extra: BaseTokenBackendOptions): CreateStore => {
    const client = Object.keys(extra).length === 0 ? { clientOptions } : { client: shared };
    return async () => {
      // One store at a time: what each of them has to look through stays small.
      await moto.reset();
      const idOf = (key: string) => `tokens/${encodeName((extra.keyPrefix ?? '') + key)}`;
      const read = (SecretId: string) => direct.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }));
      return {
        open: async (options) => new SecretsManagerTokenBackend({ ...combined(extra, options), prefix: 'tokens/', ...client }),
        readRaw: (key) =>
          read(idOf(key)).then(
            ({ SecretString, SecretBinary }) => (SecretString === undefined ? SecretBinary : Buffer.from(SecretString)),
            (error: Error) => absent(error),
          ),
        faults: {
          unreachable: () => gate.shut(),
          denied: async () => {
            await moto.enforcePermissions(true);
            return () => moto.enforcePermissions(false);
          },
          corrupt: (key) => damage(idOf(key)),
        },
        destroy: async () => undefined,
      };
    };
  };

  const damage = async (id: string): Promise<void> => {
    const value = { SecretString: '{"AccessToken": {"half' };
    await direct
      .send(new CreateSecretCommand({ Name: id, ...value }))
      .catch(() => direct.send(new PutSecretValueCommand({ SecretId: id, ...value })));
  };

  await addConformanceTestsOf(storesWith);
});

function absent(error: Error): undefined {
  if (!/^(ResourceNotFoundException|InvalidRequestException)$/.test(error.name)) throw error;
}
