import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { missingEmulator } from '../packages/firestore/test/emulator.ts';
import { redisAvailable } from '../packages/redis/test/servers/availability.ts';
import { motoIsHere } from '../packages/s3/test/servers/moto-server.ts';
import { backendNamed } from './proof/backends.ts';
import { proofsOn } from './proof/proofs.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./proof/run.ts', import.meta.url));

/** Each proof runs on the build, in processes of its own, as `npm run proof -- --short` runs it. */
async function prove(name: string, backend: string): Promise<string> {
  const { stdout } = await run(process.execPath, [script, '--short', '--details', '--exact', name, '--backend', backend]).catch(
    (error: { readonly stdout?: string; readonly stderr?: string }) => ({ stdout: `${error.stdout ?? ''}${error.stderr ?? ''}` }),
  );
  return stdout;
}

describe.each(['filesystem', 'memory'])('on the backend "%s"', (backend) => {
  const names = proofsOn(backendNamed(backend)).map(([name]) => name);
  test.each(names)('the proof "%s" reaches its figures in its short form', { timeout: 300_000 }, async (name) => {
    expect(await prove(name, backend)).toMatch(/^(reached|skipped) /);
  });
});

// A server is started once for the proofs that tell most; all of them run in full by `npm run proof -- --backend <name>`.
describe.each([
  { backend: 'redis', here: redisAvailable },
  { backend: 's3', here: motoIsHere() },
  { backend: 'secrets-manager', here: motoIsHere() && redisAvailable },
  { backend: 'firestore', here: missingEmulator() === undefined },
])('on the shared store "$backend"', ({ backend, here }) => {
  test.runIf(here)('a storm, kills and an outage reach their figures', { timeout: 300_000 }, async () => {
    const told = await prove('refresh-storm,kills,store-down', backend);
    expect(told.match(/^reached /gm), told).toHaveLength(3);
  });
});
