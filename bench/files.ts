import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JweCryptographyManager, systemClock } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { CLIENT, homeAccountId, record, TENANT } from './fixture.ts';
import { type Benchmark, median, type Row } from './row.ts';

const RECORDS = 300;
const SAVES = 200;

/** A record from a file to a usable token, and a save with the same durability as a careful program's own. */
export const files: Benchmark = async (progress) => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-bench-'));
  try {
    progress('cold reads from files');
    const reads = await coldReads(folder);
    progress('saves to files');
    return [...reads, await saves(folder)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function coldReads(folder: string): Promise<Row[]> {
  const cryptographyManager = new JweCryptographyManager({ keys: { bench: randomBytes(32) }, activeKid: 'bench' });
  const writer = new FileSystemTokenBackend({ tokenPath: folder });
  const encrypting = new FileSystemTokenBackend({ tokenPath: join(folder, 'encrypted'), cryptographyManager });
  for (let index = 0; index < RECORDS; index++) {
    await writer.saveToken(record(index), { tokenKey: `record-${index}` });
    await encrypting.saveToken(record(index), { tokenKey: `record-${index}` });
  }
  // Other instances than those that wrote: nothing is in their memory.
  const reader = new FileSystemTokenBackend({ tokenPath: folder });
  const decrypting = new FileSystemTokenBackend({ tokenPath: join(folder, 'encrypted'), cryptographyManager });
  const ours: number[] = [];
  const bare: number[] = [];
  const encrypted: number[] = [];
  for (let index = 0; index < RECORDS; index++) {
    const tokenKey = `record-${index}`;
    bare.push(await timed(async () => bareToken(await readFile(join(folder, `${tokenKey}.token`), 'utf8'))));
    ours.push(await timed(async () => tokenOf(reader, tokenKey, index)));
    encrypted.push(await timed(async () => tokenOf(decrypting, tokenKey, index)));
  }
  const ratio = median(ours) / median(bare);
  const extra = median(encrypted) - median(ours);
  return [
    {
      measure: 'cold read from a file to a token',
      ours: median(ours),
      bare: median(bare),
      unit: 'ms',
      target: '≤ 1.3× read + JSON.parse',
      met: ratio <= 1.3,
    },
    {
      measure: 'the same, encrypted',
      ours: median(encrypted),
      bare: median(bare),
      unit: 'ms',
      target: '≤ 0.25 ms more',
      met: extra <= 0.25,
    },
  ];
}

async function tokenOf(backend: FileSystemTokenBackend, tokenKey: string, index: number): Promise<void> {
  const cache = await backend.loadToken({ tokenKey });
  const token = cache?.getAccessToken({ homeAccountId: homeAccountId(index), clientId: CLIENT, tenantId: TENANT });
  if (!token || token.expiresAt < systemClock.now()) throw new Error('no token');
}

function bareToken(text: string): void {
  const [token] = Object.values<{ expires_on: string }>(JSON.parse(text).AccessToken);
  if (!token || Number(token.expires_on) * 1000 < Date.now()) throw new Error('no token');
}

/** Interleaved, because the disk of a shared machine changes its mind by the second. */
async function saves(folder: string): Promise<Row> {
  const backend = new FileSystemTokenBackend({ tokenPath: folder });
  const text = record(0).serialize();
  let { version } = { version: await backend.records.write('saved', Buffer.from(text), { expect: 'anything' }) };
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < SAVES; round++) {
    const data = Buffer.from(text.replace('at-TEST-0', `at-TEST-${round}`));
    bare.push(await timed(() => bareSave(folder, data)));
    ours.push(
      await timed(async () => {
        version = await backend.records.write('saved', data, { expect: { version } });
      }),
    );
  }
  const ratio = median(ours) / median(bare);
  return {
    measure: 'compare-and-swap save to a file',
    ours: median(ours),
    bare: median(bare),
    unit: 'ms',
    target: '≤ 1.3× write + fsync + rename + fsync',
    met: ratio <= 1.3,
  };
}

/** Temporary file, fsync, rename, fsync of the folder: the least that survives a power cut. */
async function bareSave(folder: string, data: Uint8Array): Promise<void> {
  const temporary = join(folder, 'bare.tmp');
  const file = await open(temporary, 'w', 0o600);
  await writeFile(file, data);
  await file.sync();
  await file.close();
  await rename(temporary, join(folder, 'bare'));
  const directory = await open(folder, 'r');
  await directory.sync();
  await directory.close();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
