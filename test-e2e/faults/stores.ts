import type { BaseTokenBackend } from '@tokenry/core';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import { RedisLeases, RedisTokenBackend } from '@tokenry/redis';
import { S3TokenBackend } from '@tokenry/s3';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { missingEmulator } from '../../packages/firestore/test/emulator.js';
import { redisAvailable } from '../../packages/redis/test/servers/availability.js';
import { motoIsHere } from '../../packages/s3/test/servers/moto-server.js';
import { type ProofBackend, backends as proofBackends } from '../proof/backends.js';

/** A store behind a proxy, opened with patience for a test. */
export interface FaultyStore {
  readonly name: string;
  readonly here: boolean;
  readonly proof: ProofBackend;
  /** False: its leases lie in another store, which no proxy is before. */
  readonly ownLeases: boolean;
  /** The port of the server that a proxy goes before. */
  portOf(location: string): number;
  /** Opens the store of `location` through a proxy. */
  openThrough(port: number, location: string): BaseTokenBackend & { close(): Promise<void> };
}

const aws = (port: number) => ({
  endpoint: `http://127.0.0.1:${port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-TEST-1' },
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 2_000, socketTimeout: 2_000, throwOnRequestTimeout: true },
});
const portOfUrl = (location: string) => Number(new URL(JSON.parse(location).at).port);

function proofOf(name: string): ProofBackend {
  const proof = proofBackends[name];
  if (!proof) throw new Error(`no proofs run on ${name}`);
  return proof;
}

/** Every shared store; `here` says whether this machine has its server. */
export const faultyStores: readonly FaultyStore[] = [
  {
    name: 'redis',
    here: redisAvailable,
    proof: proofOf('redis'),
    ownLeases: true,
    portOf: (location) => JSON.parse(location).port,
    openThrough: (port) =>
      new RedisTokenBackend({ clientOptions: { host: '127.0.0.1', port, connectTimeout: 2_000 }, commandTimeoutMs: 1_000 }),
  },
  {
    name: 's3',
    here: motoIsHere(),
    proof: proofOf('s3'),
    ownLeases: true,
    portOf: portOfUrl,
    openThrough: (port, location) =>
      new S3TokenBackend({
        bucketName: JSON.parse(location).bucketName,
        clientOptions: { ...aws(port), forcePathStyle: true },
      }),
  },
  {
    name: 'secrets-manager',
    here: motoIsHere() && redisAvailable,
    proof: proofOf('secrets-manager'),
    ownLeases: false,
    portOf: portOfUrl,
    openThrough(port, location) {
      const { secretName, port: redisPort } = JSON.parse(location);
      const leases = new RedisLeases({ clientOptions: { host: '127.0.0.1', port: redisPort } });
      return new SecretsManagerTokenBackend({ secretName, leases, clientOptions: aws(port) });
    },
  },
  {
    name: 'firestore',
    here: missingEmulator() === undefined,
    proof: proofOf('firestore'),
    ownLeases: true,
    portOf: (location) => Number(JSON.parse(location).host.split(':')[1]),
    openThrough: (port, location) =>
      new FirestoreTokenBackend({
        collection: JSON.parse(location).collection,
        clientOptions: { projectId: 'demo-proof', host: `127.0.0.1:${port}`, ssl: false },
        timeoutMs: 3_000,
      }),
  },
];

/** Ends the servers that the tests of a file started: what a test's process leaves behind lives on when that is killed. */
export async function endServers(): Promise<void> {
  for (const { proof } of faultyStores) await proof.end?.();
}
