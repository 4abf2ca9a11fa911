/**
 * Runs the proofs and writes what they found in full to docs/proof.json, docs/proof.md and docs/proof.svg.
 *
 *   npm run proof                            all, on files, in full
 *   npm run proof -- --short --only storm    those whose name contains "storm", shortened
 *   npm run proof -- --backend redis         on another store
 */
import { parseArgs } from 'node:util';
import { backendNamed, backends } from './backends.ts';
import { lineOf, type ProofResult } from './harness/proof.ts';
import { publish } from './harness/publish.ts';
import { proofs, proofsOn } from './proofs.ts';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'filesystem' },
    only: { type: 'string', default: '' },
    exact: { type: 'string' },
    short: { type: 'boolean', default: false },
    details: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(
    `npm run proof [-- options]\n\n  --backend <name>   ${Object.keys(backends).join(', ')}; default filesystem\n  --only <text>      proofs whose name contains it: ${Object.keys(proofs).join(', ')}\n  --exact <names>    these proofs, with commas\n  --short            the form that npm test runs\n  --details          what is behind the figures`,
  );
  process.exit(0);
}
const backend = backendNamed(values.backend);
const size = values.short ? 'short' : 'full';
const exact = values.exact?.split(',');
const chosen = proofsOn(backend).filter(([name]) => exact?.includes(name) ?? name.includes(values.only));
const startedAt = Date.now();
const at = new Date(startedAt).toISOString();
const results: (ProofResult & { readonly id: string; readonly seconds: number })[] = [];
for (const [index, [name, proof]] of chosen.entries()) {
  const began = performance.now();
  const progress = (text: string) => {
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${index + 1}/${chosen.length} ${name}: ${text}`);
  };
  progress('starts');
  const result = await proof({ backend, size, progress }).catch((error: unknown) => failed(name, error));
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[2K');
  console.log(`${lineOf(result)}  [${seconds} s]`);
  for (const detail of result.details ?? []) if (values.details || result.missed.length > 0) console.log(`         ${detail}`);
  results.push({ id: name, ...result, seconds });
  // What ended in an error has no figures to tell.
  if (size === 'full' && backend.processes && Object.keys(result.figures).length > 0)
    await publish({
      backend,
      results: [{ id: name, ...result, seconds, at }],
      backends: Object.keys(backends),
      proofs: Object.keys(proofs),
    });
}
const missed = results.filter((result) => result.missed.length > 0);
console.log(
  `\n${results.length - missed.length} of ${results.length} proofs reached their figures in ${Math.round((Date.now() - startedAt) / 1000)} s.`,
);
process.exit(missed.length === 0 ? 0 : 1);

function failed(name: string, error: unknown): ProofResult {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { name, backend: backend.name, size, figures: {}, missed: [`ended in an error: ${text}`] };
}
