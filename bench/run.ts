/**
 * `npm run bench`: ours, msal-node and the bare limit side by side in one run; figures also as JSON.
 *
 *   npm run bench                     all; shared stores that this machine has
 *   npm run bench -- --only redis     those whose name contains "redis"
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { discovery } from '../packages/autodiscover/bench/discovery.ts';
import { cacheBound } from './cache-bound.ts';
import { files } from './files.ts';
import { hits } from './hit.ts';
import { memory } from './memory.ts';
import { newProcess } from './new-process.ts';
import type { Benchmark, Row } from './row.ts';
import { stores } from './stores/stores.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'new-process': newProcess,
  files,
  memory,
  'cache-bound': cacheBound,
  hits,
  ...stores,
  discovery,
};
const options = { only: { type: 'string', default: '' }, help: { type: 'boolean', short: 'h', default: false } } as const;
const { only, help } = parseArgs({ options }).values;
if (help) {
  console.log(
    `npm run bench [-- options]\n\n  --only <text>   those whose name contains it: ${Object.keys(benchmarks).join(', ')}`,
  );
  process.exit(0);
}
const chosen = Object.entries(benchmarks).filter(([name]) => name.includes(only));
const progress = (text: string) => console.error(`… ${text}`);
const rows: Row[] = [];
for (const [, benchmark] of chosen) rows.push(...(await benchmark(progress)));

const figure = (value: number | undefined, unit: string) => (value === undefined ? '' : `${value.toPrecision(3)} ${unit}`);
const times = (value: number | undefined, ours: number) => (value === undefined ? '' : `${(value / ours).toPrecision(3)}×`);
console.log(`\nNode.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
console.table(
  rows.map(({ measure, ours, msalNode, bare, unit, target, met }) => ({
    measure,
    ours: figure(ours, unit),
    'msal-node': figure(msalNode, unit),
    'msal-node ÷ ours': times(msalNode, ours),
    bare: figure(bare, unit),
    'ours ÷ bare': bare === undefined ? '' : `${(ours / bare).toPrecision(3)}×`,
    target,
    'reached here': met ? 'yes' : 'no',
  })),
);
const folder = new URL('../bench-results/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(
  new URL('bench.json', folder),
  JSON.stringify({ at: new Date().toISOString(), node: process.version, rows }, null, 2),
);
console.log('Also in bench-results/bench.json');
