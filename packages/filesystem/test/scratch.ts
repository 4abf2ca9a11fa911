import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for one test. */
export async function scratchFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tokenry-filesystem-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Polls until `probe` gives a value; fails after ten seconds. */
export async function eventually<T>(what: string, probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const giveUpAt = performance.now() + 10_000;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > giveUpAt) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The error with which `work` rejects. */
export async function rejection(work: Promise<unknown>): Promise<Error & { readonly code?: string; readonly holder?: string }> {
  try {
    await work;
  } catch (error) {
    return error as Error & { readonly code?: string };
  }
  throw new Error('it did not reject');
}

/** Everything that the iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
