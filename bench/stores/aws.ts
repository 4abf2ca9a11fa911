import { randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { S3TokenBackend } from '@tokenry/s3';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { MotoServer, motoIsHere } from '../../packages/s3/test/servers/moto-server.ts';
import type { BenchStore } from './store.ts';

const settings = (server: MotoServer) => ({
  endpoint: `http://127.0.0.1:${server.port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-TEST-1' },
});

/** A conditional write of the ETag that was read. */
export const s3: BenchStore = {
  name: 's3',
  rounds: 200,
  warmUp: 50,
  isHere: motoIsHere,
  async start() {
    const server = await MotoServer.start();
    const client = new S3Client({ ...settings(server), forcePathStyle: true });
    const { ok, status } = await fetch(`http://127.0.0.1:${server.port}/bench`, { method: 'PUT' });
    if (!ok) throw new Error(`the emulator made no bucket: ${status}`);
    const objectOf = (tokenKey: string) => ({ Bucket: 'bench', Key: `${tokenKey}.token` });
    return {
      open: (recordCache = {}) => new S3TokenBackend({ bucketName: 'bench', client, recordCache }),
      bare: {
        async read(tokenKey) {
          const { Body, ETag } = await client.send(new GetObjectCommand(objectOf(tokenKey)));
          return { text: (await Body?.transformToString()) ?? '', version: ETag ?? '' };
        },
        async save(tokenKey, text, version) {
          await client.send(new PutObjectCommand({ ...objectOf(tokenKey), Body: text, IfMatch: version }));
        },
      },
      async stop() {
        client.destroy();
        await server.stop();
      },
    };
  },
};

/** The service compares only when it moves a label: a value is stored aside, then AWSCURRENT moved to it. */
export const secretsManager: BenchStore = {
  name: 'secrets-manager',
  rounds: 200,
  warmUp: 50,
  isHere: motoIsHere,
  async start() {
    const server = await MotoServer.start();
    const client = new SecretsManagerClient(settings(server));
    const idOf = (tokenKey: string) => `bench/${tokenKey}`;
    return {
      open: (recordCache = {}) => new SecretsManagerTokenBackend({ prefix: 'bench/', client, recordCache }),
      bare: {
        async read(tokenKey) {
          const request = new GetSecretValueCommand({ SecretId: idOf(tokenKey), VersionStage: 'AWSCURRENT' });
          const { SecretString = '', VersionId = '' } = await client.send(request);
          return { text: SecretString, version: VersionId };
        },
        async save(tokenKey, text, version) {
          const SecretId = idOf(tokenKey);
          const mine = randomUUID();
          await client.send(
            new PutSecretValueCommand({ SecretId, SecretString: text, ClientRequestToken: mine, VersionStages: ['BENCH'] }),
          );
          const move = { VersionStage: 'AWSCURRENT', MoveToVersionId: mine, RemoveFromVersionId: version };
          await client.send(new UpdateSecretVersionStageCommand({ SecretId, ...move }));
        },
      },
      async stop() {
        client.destroy();
        await server.stop();
      },
    };
  },
};
