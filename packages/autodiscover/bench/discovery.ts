// What a discovery costs: remembered in memory, remembered on disk, and cold against servers 20 ms away.
// Part of `npm run bench`; alone, after a build, it prints one JSON line for each measure:
//   node packages/autodiscover/bench/discovery.ts
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AutodiscoverCache, closeConnections, type DiscoverOptions, discover } from '@tokenry/autodiscover';
import type { Benchmark, Row } from '../../../bench/row.ts';

const LATENCY_MS = 20;
const CONCURRENCY = 50;
/** Both ways take turns, and each counts with its best round: what else the machine does slows rounds, never speeds them up. */
const ROUNDS = 5;
const TOGETHER = 200;
const ALONE = 20;
const DOMAINS = ROUNDS * TOGETHER;
const SERVERS = fileURLToPath(new URL('servers.ts', import.meta.url));
const domain = (index: number) => `company-${index}.example`;

/** The package's measures. */
export const discovery: Benchmark = async (progress) => {
  progress('autodiscover');
  const folder = await mkdtemp(join(tmpdir(), 'autodiscover-bench-'));
  const servers = spawn(process.execPath, [SERVERS, String(DOMAINS), String(LATENCY_MS)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(servers, 'close');
  try {
    const [line] = await once(createInterface(servers.stdout), 'line');
    const { ca, port } = JSON.parse(line) as { readonly ca: string; readonly port: number };
    const network: DiscoverOptions = {
      ca,
      lookup: async () => [{ address: '127.0.0.1', family: 4 }],
      dns: { resolveSrv: async () => [] },
      connectTo: () => ({ port }),
      askMicrosoft: false,
    };
    return [await inMemory(network), await onDisk(network, join(folder, 'cache')), await cold(network)];
  } finally {
    closeConnections();
    servers.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
};

/** Milliseconds per call in the best of several rounds: whatever else the machine does slows rounds, never speeds them up. */
async function perCall(rounds: number, calls: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    for (let index = 0; index < calls; index++) await call(index);
    results.push((performance.now() - startedAt) / calls);
  }
  return Math.min(...results);
}

async function inMemory(network: DiscoverOptions): Promise<Row> {
  const options = { ...network, cache: new AutodiscoverCache({ memoryOnly: true }) };
  const addresses = Array.from({ length: 20 }, (_, index) => `ada${index}@${domain(0)}`);
  for (const address of addresses) await discover(address, options);
  const ours = (await perCall(9, 20_000, (index) => discover(addresses[index % addresses.length] ?? '', options))) * 1000;
  return { measure: 'discovery remembered in memory', ours, unit: 'µs', target: '≤ 10 µs', met: ours <= 10 };
}

async function onDisk(network: DiscoverOptions, folder: string): Promise<Row> {
  // A new cache object each time: nothing of it is in memory, as in a process that has just started.
  const find = () => discover(`ada@${domain(0)}`, { ...network, cache: new AutodiscoverCache({ folder }) });
  await find();
  const ours = await perCall(5, 300, find);
  return { measure: 'discovery remembered on disk', ours, unit: 'ms', target: '≤ 1 ms', met: ours <= 1 };
}

/** Domains share no lock: many discoveries at a time get on as fast as the processor opens TLS connections. */
async function cold(network: DiscoverOptions): Promise<Row> {
  const one = async (index: number) => {
    const found = await discover(`ada@${domain(index)}`, { ...network, cache: false });
    if (found.location !== 'on-premises') throw new Error('a discovery went wrong');
  };
  await one(0); // loads what is loaded on first use
  let [alone, together] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const find = (index: number) => one(round * TOGETHER + index);
    alone = Math.max(alone, await rate(ALONE, 1, find));
    together = Math.max(together, await rate(TOGETHER, CONCURRENCY, find));
  }
  const ours = together / alone;
  return {
    measure: `${DOMAINS} cold discoveries, ${CONCURRENCY} at a time, against one at a time (${LATENCY_MS} ms latency)`,
    ours,
    unit: '×',
    target: '≥ 10×',
    met: ours >= 10,
  };
}

/** Calls per second, over connections that are all new. */
async function rate(calls: number, concurrency: number, call: (index: number) => Promise<void>): Promise<number> {
  closeConnections();
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < calls) await call(next++);
    }),
  );
  return (calls * 1000) / (performance.now() - startedAt);
}

if (import.meta.main) for (const row of await discovery(() => undefined)) console.log(JSON.stringify(row));
