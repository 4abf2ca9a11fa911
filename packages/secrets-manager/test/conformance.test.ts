import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName, JweCryptographyManager } from '@tokenry/core/backend';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { describe, test } from 'vitest';
import { clientOptionsFor, describeOnMoto } from '../../s3/test/servers/aws.js';

const stores: Readonly<Record<string, BaseTokenBackendOptions>> = {
  plain: {},
  encrypted: { cryptographyManager: new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(7) }, activeKid: 'k1' }) },
  'under a key prefix': { keyPrefix: 'Team A/' },
};

await describeOnMoto('conformance', async ({ moto, gate }) => {
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
        open: async (options) =>
          new SecretsManagerTokenBackend({ ...extra, ...options, ...prefixed(extra, options), prefix: 'tokens/', ...client }),
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

  for (const [name, extra] of Object.entries(stores)) {
    const createStore = storesWith(extra);
    const store = await describeStore(createStore);
    describe(name, () => {
      for (const { group, name: sentence, skip, run } of conformanceTests(createStore, { store }))
        test(`${group}: ${sentence}`, { skip: skip !== undefined }, run);
    });
  }
});

function prefixed(extra: BaseTokenBackendOptions, options: BaseTokenBackendOptions): BaseTokenBackendOptions {
  const keyPrefix = (extra.keyPrefix ?? '') + (options.keyPrefix ?? '');
  return keyPrefix === '' ? {} : { keyPrefix };
}

function absent(error: Error): undefined {
  if (!/^(ResourceNotFoundException|InvalidRequestException)$/.test(error.name)) throw error;
}
