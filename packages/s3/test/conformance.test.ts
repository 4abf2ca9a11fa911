import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName, JweCryptographyManager } from '@tokenry/core/backend';
import { S3TokenBackend } from '@tokenry/s3';
import { describe, test } from 'vitest';
import { clientOptionsFor, describeOnMoto } from './servers/aws.js';

const stores: Readonly<Record<string, BaseTokenBackendOptions>> = {
  plain: {},
  encrypted: { cryptographyManager: new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(7) }, activeKid: 'k1' }) },
  'under a key prefix': { keyPrefix: 'Team A/' },
};

await describeOnMoto('conformance', async ({ moto, gate }) => {
  const clientOptions = { ...clientOptionsFor(gate), forcePathStyle: true };
  const direct = new S3Client({ ...clientOptionsFor(moto), forcePathStyle: true });
  let count = 0;

  const shared = new S3Client(clientOptions);

  const storesWith = (extra: BaseTokenBackendOptions): CreateStore => {
    // One of them with clients of the backends' own; a shared one is probed less often, and this takes minutes as it is.
    const client = Object.keys(extra).length === 0 ? { clientOptions } : { client: shared };
    return async () => {
      const bucketName = `conformance-${++count}`;
      await direct.send(new CreateBucketCommand({ Bucket: bucketName }));
      const keyOf = (key: string) => `tokens/${encodeName((extra.keyPrefix ?? '') + key)}.token`;
      const object = (key: string) => ({ Bucket: bucketName, Key: keyOf(key) });
      return {
        open: async (options) =>
          new S3TokenBackend({ ...extra, ...options, ...prefixed(extra, options), bucketName, prefix: 'tokens/', ...client }),
        readRaw: (key) =>
          direct.send(new GetObjectCommand(object(key))).then(
            ({ Body }) => Body?.transformToByteArray(),
            (error: Error) => absent(error),
          ),
        faults: {
          unreachable: () => gate.shut(),
          denied: async () => {
            await moto.enforcePermissions(true);
            return () => moto.enforcePermissions(false);
          },
          corrupt: async (key) =>
            void (await direct.send(new PutObjectCommand({ ...object(key), Body: '{"AccessToken": {"half' }))),
        },
        // The emulator goes away with everything in it.
        destroy: async () => undefined,
      };
    };
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
  if (error.name !== 'NoSuchKey') throw error;
}
