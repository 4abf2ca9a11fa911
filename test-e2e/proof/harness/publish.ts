import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { ProofBackend } from '../backends.ts';
import { plotOf } from './plot.ts';
import type { ProofResult } from './proof.ts';
import { pageOf } from './table.ts';

/** A result with where and when it was found. */
export interface PublishedResult extends ProofResult {
  /** Name of the proof on the command line. */
  readonly id: string;
  readonly seconds: number;
  readonly at: string;
}

/** What was found on one kind of store. */
export interface PublishedStore {
  readonly title: string;
  readonly node: string;
  readonly platform: string;
  readonly results: readonly PublishedResult[];
}

/** By the name of the backend. */
export type Published = Readonly<Record<string, PublishedStore>>;

const docs = new URL('../../../docs/', import.meta.url);

export interface Publication {
  readonly backend: ProofBackend;
  readonly results: readonly PublishedResult[];
  /** Names of backends and of proofs, in the order in which they are told. */
  readonly backends: readonly string[];
  readonly proofs: readonly string[];
}

/** Puts results into docs/proof.json, .md and .svg, beside those of other stores and of proofs that were not run this time. */
export async function publish({ backend, results, backends, proofs }: Publication): Promise<void> {
  const all = await earlier();
  const byId = new Map((all[backend.name]?.results ?? []).map((result) => [result.id, result]));
  for (const result of results) byId.set(result.id, result);
  const store: PublishedStore = {
    title: backend.title,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    results: proofs.flatMap((id) => byId.get(id) ?? []),
  };
  const stores = { ...all, [backend.name]: store };
  const published: Published = Object.fromEntries(
    backends.flatMap((name) => (stores[name] === undefined ? [] : [[name, stores[name]]])),
  );
  await mkdir(docs, { recursive: true });
  await writeFile(new URL('proof.json', docs), `${JSON.stringify(published, undefined, 2)}\n`);
  await writeFile(new URL('proof.md', docs), pageOf(published));
  await writeFile(new URL('proof.svg', docs), plotOf(Object.values(published).flatMap((one) => one.results)));
}

async function earlier(): Promise<Published> {
  try {
    return JSON.parse(await readFile(new URL('proof.json', docs), 'utf8')) as Published;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
