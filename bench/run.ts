/** `npm run bench`: ours, msal-node and the bare limit side by side in one run; figures also as JSON. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { discovery } from '../packages/autodiscover/bench/discovery.ts';
import { files } from './files.ts';
import { hits } from './hit.ts';
import { memory } from './memory.ts';
import { newProcess } from './new-process.ts';
import type { Row } from './row.ts';

const progress = (text: string) => console.error(`… ${text}`);
const rows: Row[] = [];
for (const benchmark of [newProcess, files, memory, hits, discovery]) rows.push(...(await benchmark(progress)));

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
