import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { CLIENT, record, TENANT } from './fixture.ts';
import { type Benchmark, median } from './row.ts';

const run = promisify(execFile);
const ROUNDS = 15;

/** From starting Node.js to a valid token in hand, above what an empty program takes. */
export const newProcess: Benchmark = async (progress) => {
  progress('new processes');
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-bench-'));
  await new FileSystemTokenBackend({ tokenPath: folder }).saveToken(record(0));
  const script = fileURLToPath(new URL('./children/cached-token.mjs', import.meta.url));
  const empty = fileURLToPath(new URL('./children/empty.mjs', import.meta.url));
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await timed([empty]));
    ours.push(await timed([script, folder, CLIENT, TENANT]));
  }
  await rm(folder, { recursive: true, force: true });
  const above = median(ours) - median(bare);
  return [
    {
      measure: 'new process to a cached token',
      ours: median(ours),
      bare: median(bare),
      unit: 'ms',
      target: '≤ 40 ms above bare Node',
      met: above <= 40,
    },
  ];
};

async function timed(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await run(process.execPath, args);
  return performance.now() - startedAt;
}
