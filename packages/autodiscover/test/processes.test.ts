import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange } from './lab/exchange.js';
import { type Lab, startLab } from './lab/lab.js';

/** The full form sets TOKENRY_CACHE_PROCESSES=50 and TOKENRY_CACHE_DISCOVERIES=200; see scripts/stress.ts. */
const PROCESSES = Number(process.env.TOKENRY_CACHE_PROCESSES ?? 6);
const DISCOVERIES = Number(process.env.TOKENRY_CACHE_DISCOVERIES ?? 40);
const AT_ONCE = 8;
const MAILBOXES = 20;
const WORKER = fileURLToPath(new URL('processes/discover-worker.ts', import.meta.url));

let lab: Lab;
let folder: string;
beforeAll(async () => {
  lab = await startLab();
  folder = join(await mkdtemp(join(tmpdir(), 'autodiscover-processes-')), 'cache');
  const v2 = (protocol: string, address: string) =>
    protocol === 'EWS'
      ? { body: JSON.stringify({ Protocol: 'EWS', Url: `https://mail.corp.example/${address.split('@')[0]}/EWS/Exchange.asmx` }) }
      : undefined;
  lab.host('autodiscover.corp.example', exchange({ v2 }));
});
afterAll(async () => {
  await lab.close();
  await rm(join(folder, '..'), { recursive: true, force: true });
});

it(`${PROCESSES} processes, every third of them killed, never find a wrong or unreadable entry`, {
  timeout: 3_600_000,
}, async () => {
  const securePort = lab.options().connectTo?.({ hostname: 'x', port: 443 }).port;
  const counts = { killed: 0, done: 0, network: 0, store: 0 };
  const start = (index: number): Promise<void> => {
    const work = { ca: lab.ca, securePort, folder, discoveries: DISCOVERIES, mailboxes: MAILBOXES, seed: index + 1 };
    const child = spawn(process.execPath, [WORKER, JSON.stringify(work)], { stdio: ['ignore', 'pipe', 'pipe'] });
    return index % 3 === 2 ? killOneDay(child, index, counts) : settle(child, counts);
  };
  let running = true;
  const reader = readOver(() => running);
  const queue = Array.from({ length: PROCESSES }, (_, index) => index);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let index = queue.shift(); index !== undefined; index = queue.shift()) await start(index);
    }),
  );
  running = false;
  const reads = await reader;
  if (PROCESSES > 6)
    console.log(
      JSON.stringify({ name: 'shared cache folder', processes: PROCESSES, discoveries: DISCOVERIES, reads, ...counts }),
    );
  expect(counts.done).toBe(PROCESSES - counts.killed);
  expect(counts.killed).toBeGreaterThan(0);
  expect(counts.store).toBeGreaterThan(0);
  expect(counts.network).toBeGreaterThan(0);
  expect(reads).toBeGreaterThan(0);
  const files = await readdir(folder);
  expect(files.filter((file) => file.startsWith('settings-'))).toHaveLength(MAILBOXES);
});

/** Ends when the child ends, which must say that it is done and nothing else. */
async function settle(child: ChildProcess, counts: { done: number; network: number; store: number }): Promise<void> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(err).toBe('');
  const [last = '{}', ...wrong] = out.trim().split('\n').reverse();
  expect(wrong).toEqual([]);
  const { done, network, store } = JSON.parse(last);
  expect(done).toBe(true);
  counts.done++;
  counts.network += network;
  counts.store += store;
}

/** Kills the child without warning, once it has written something or at a time that differs from child to child. */
async function killOneDay(child: ChildProcess, index: number, counts: { killed: number }): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve));
  const before = lab.requests.length;
  while (child.exitCode === null && lab.requests.length < before + 1 + (index % 17))
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await ended;
  counts.killed++;
}

/** Reads every file of the folder again and again: each is whole, whenever it is read. */
async function readOver(running: () => boolean): Promise<number> {
  let reads = 0;
  while (running()) {
    for (const file of await readdir(folder).catch(() => [])) {
      if (!file.endsWith('.json')) continue;
      const text = await readFile(join(folder, file), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      expect(() => JSON.parse(text)).not.toThrow();
      expect(JSON.parse(text).key).toMatch(/^[0-9a-f]{64}$/);
      reads++;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return reads;
}
