import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { plotOf } from './plot.ts';
import type { ProofResult } from './proof.ts';
import { tableOf } from './table.ts';

/** A result with where and when it was found. */
export interface PublishedResult extends ProofResult {
  /** Name of the proof on the command line. */
  readonly id: string;
  readonly seconds: number;
  readonly at: string;
}

interface Published {
  readonly node: string;
  readonly platform: string;
  readonly results: readonly PublishedResult[];
}

const docs = new URL('../../../docs/', import.meta.url);

/** Puts results into docs/proof.json, .md and .svg, in `order`, beside those of proofs that were not run this time. */
export async function publish(results: readonly PublishedResult[], order: readonly string[]): Promise<void> {
  const byId = new Map((await earlier()).map((result) => [result.id, result]));
  for (const result of results) byId.set(result.id, result);
  const all = order.flatMap((id) => byId.get(id) ?? []);
  const published: Published = { node: process.version, platform: `${process.platform}-${process.arch}`, results: all };
  await mkdir(docs, { recursive: true });
  await writeFile(new URL('proof.json', docs), `${JSON.stringify(published, undefined, 2)}\n`);
  await writeFile(new URL('proof.md', docs), tableOf(all, published));
  await writeFile(new URL('proof.svg', docs), plotOf(all));
}

async function earlier(): Promise<readonly PublishedResult[]> {
  try {
    return (JSON.parse(await readFile(new URL('proof.json', docs), 'utf8')) as Published).results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
