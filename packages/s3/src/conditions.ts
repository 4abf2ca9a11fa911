import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { CapabilityError, VersionConflictError } from '@tokenry/core/backend';
import type { Bucket, Condition } from './bucket.js';

/** Which conditions a store was seen to honour. */
export interface Conditions {
  readonly writes: boolean;
  readonly deletes: boolean;
}

/** An ETag that no object has. */
const STRANGE = '"00000000000000000000000000000000"';

/** One probe serves all backends that share a client and a bucket. A failed one is not remembered. */
const probes = new WeakMap<S3Client, Map<string, Promise<Conditions>>>();

export function provenConditions(client: S3Client, bucketName: string, bucket: Bucket): Promise<Conditions> {
  const known = probes.get(client) ?? new Map<string, Promise<Conditions>>();
  probes.set(client, known);
  let probe = known.get(bucketName);
  if (!probe) {
    probe = probeConditions(bucket).catch((error: unknown) => {
      known.delete(bucketName);
      throw error;
    });
    known.set(bucketName, probe);
  }
  return probe;
}

/**
 * Tries, on an object of its own, what must be refused. Stores that speak S3's protocol may ignore conditions without a
 * word, and every compare-and-swap would then succeed (github.com/jamhall/s3rver/issues/440 is one of many).
 */
async function probeConditions(bucket: Bucket): Promise<Conditions> {
  const name = `=probe-${randomUUID()}`;
  const data = Buffer.from('{}');
  const created = await unlessUnknown(() => bucket.put(name, data, { condition: { IfNoneMatch: '*' } }));
  if (created === undefined) return { writes: false, deletes: false };
  const refused = (condition: Condition) => isRefused(() => bucket.put(name, data, { condition }));
  const [creation, replacement, deletion] = await Promise.all([
    refused({ IfNoneMatch: '*' }),
    refused({ IfMatch: STRANGE }),
    isRefused(() => bucket.delete(name, { ifMatch: STRANGE })),
  ]);
  await bucket.delete(name, deletion ? { ifMatch: created } : {});
  return { writes: creation && replacement, deletes: deletion };
}

/** `undefined`: the store says aloud that it knows no conditions (NotImplemented). */
async function unlessUnknown<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (CapabilityError.is(error)) return undefined;
    throw error;
  }
}

async function isRefused(request: () => Promise<unknown>): Promise<boolean> {
  try {
    await unlessUnknown(request);
    return false;
  } catch (error) {
    if (VersionConflictError.is(error)) return true;
    throw error;
  }
}
