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
  await Promise.all(Array.from({ length: PROCESSES }, (_, index) => start(index)));
  running = false;
  const reads = await reader;
  if (PROCESSES > 6)
    console.log(
      JSON.stringify({ name: 'shared cache folder', processes: PROCESSES, discoveries: DISCOVERIES, reads, ...counts }),
    );
  expect(counts.killed).toBe(Math.floor(PROCESSES / 3));
  expect(counts.done).toBe(PROCESSES - counts.killed);
  expect(counts.store).toBeGreaterThan(0);
  expect(counts.network).toBeGreaterThan(0);
  expect(reads).toBeGreaterThan(0);
  const files = await readdir(folder);
  expect(files.filter((file) => file.startsWith('settings-'))).toHaveLength(MAILBOXES);
});

/** What a child wrote: a dot for every discovery that was right, a line for every one that was not, figures at the end. */
function outputOf(child: ChildProcess) {
  const output = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output.err += chunk;
  });
  return { output, ended: new Promise((resolve) => child.once('close', resolve)) };
}

/** Ends when the child ends, which must say that it is done and nothing else. */
async function settle(child: ChildProcess, counts: { done: number; network: number; store: number }): Promise<void> {
  const { output, ended } = outputOf(child);
  await ended;
  expect(output.err).toBe('');
  const [, dots = '', last = '{}'] = /^(\.*)\n([^\n]*)\n$/.exec(output.out) ?? [];
  expect(dots, output.out).toHaveLength(DISCOVERIES);
  const { done, network, store } = JSON.parse(last);
  expect(done).toBe(true);
  counts.done++;
  counts.network += network;
  counts.store += store;
}

/** Kills the child without warning in the middle of its work, each at another point of it. */
async function killOneDay(child: ChildProcess, index: number, counts: { killed: number }): Promise<void> {
  const { output, ended } = outputOf(child);
  const discoveries = 1 + ((index * 37) % (DISCOVERIES - 2));
  while (child.exitCode === null && output.out.length < discoveries) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill('SIGKILL');
  await ended;
  expect(output).toEqual({ out: expect.stringMatching(/^\.+$/), err: '' });
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
