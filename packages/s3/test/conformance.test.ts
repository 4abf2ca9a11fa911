import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { CreateStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName } from '@tokenry/core/backend';
import { S3TokenBackend } from '@tokenry/s3';
import { addConformanceTestsOf, combined } from '../../../test-support/conformance.ts';
import { clientOptionsFor, describeOnMoto } from './servers/aws.js';

await describeOnMoto('S3', async ({ moto, gate }) => {
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
        open: async (options) => new S3TokenBackend({ ...combined(extra, options), bucketName, prefix: 'tokens/', ...client }),
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

  await addConformanceTestsOf(storesWith);
});

function absent(error: Error): undefined {
  if (error.name !== 'NoSuchKey') throw error;
}
