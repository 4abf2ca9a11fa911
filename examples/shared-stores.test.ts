import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Emulator, missingEmulator, startEmulator } from '../packages/firestore/test/emulator.js';
import { redisAvailable } from '../packages/redis/test/servers/availability.js';
import { RedisServer } from '../packages/redis/test/servers/redis-server.js';
import { MotoServer, motoIsHere } from '../packages/s3/test/servers/moto-server.js';

/** The lines that an example prints, run as a person would: on the build, in a process and a folder of its own. */
async function outputOf(name: string, args: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-examples-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { CLIENT_ID: _id, CLIENT_SECRET: _secret, TENANT_ID: _tenant, DEV_AUTHORITY: _authority, ...rest } = process.env;
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./${name}`, import.meta.url)), ...args], {
    cwd: folder,
    env: { ...rest, NO_COLOR: '1', METADATA_SERVER_DETECTION: 'none' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, output }).toEqual({ code: 0, output });
  return output.trim().split('\n');
}

async function redis(): Promise<string> {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  return `redis://127.0.0.1:${server.port}`;
}

async function aws(): Promise<string> {
  const server = await MotoServer.start();
  onTestFinished(() => server.stop());
  return `http://127.0.0.1:${server.port}`;
}

const noEmulator = missingEmulator();

describe('examples on shared stores', () => {
  it.skipIf(!redisAvailable)('redis refreshes once for three machines, and a sign-out reaches all of them', async () => {
    expect(await outputOf('redis.ts', ['--url', await redis()])).toEqual([
      'GET /me on the second machine: Ada Lovelace',
      'callers: 150, different tokens: 1',
      'refreshes: 1',
      'the second machine knows that she signed out',
    ]);
  });

  it.skipIf(!motoIsHere())('s3 gives several runs of a job one token, and lists what it keeps', async () => {
    const endpoint = await aws();
    expect((await fetch(`${endpoint}/tokens`, { method: 'PUT' })).status).toBe(200);
    expect(await outputOf('s3.ts', ['--endpoint', endpoint, '--bucket', 'tokens'])).toEqual([
      'sales: GET /users answers 200',
      'sales: GET /users answers 200',
      'support: GET /users answers 200',
      'token calls of three runs: 2',
      'in the bucket: sales, support',
    ]);
  });

  it.skipIf(!motoIsHere() || !redisAvailable)('secrets-manager refreshes once with leases that Redis lends', async () => {
    const [endpoint, url] = await Promise.all([aws(), redis()]);
    expect(await outputOf('secrets-manager.ts', ['--endpoint', endpoint, '--redis', url])).toEqual([
      'the other service is signed in: true',
      'leases for all processes: true',
      'callers: 40, refreshes: 1',
    ]);
  });

  it.skipIf(noEmulator !== undefined)('firestore refreshes once for two instances, and names documents after users', async () => {
    const emulator: Emulator = await startEmulator();
    onTestFinished(() => emulator.stop());
    expect(await outputOf('firestore.ts', ['--host', emulator.host, '--project', 'demo-tokenry'])).toEqual([
      'in the collection: Ada@Contoso',
      'another instance, GET /me: Ada Lovelace',
      'callers: 40, refreshes: 1',
      'signed in after the record was deleted: false',
    ]);
  });
});
