import type { Benchmark } from '../row.ts';
import { s3, secretsManager } from './aws.ts';
import { firestore } from './firestore.ts';
import { readsAndSaves } from './reads-and-saves.ts';
import { redis } from './redis.ts';
import { refreshRates } from './refresh-rates.ts';
import type { BenchStore } from './store.ts';

/** What each shared store costs, on a server that is started for it; one that is missing is said, and left out. */
export const stores: Readonly<Record<string, Benchmark>> = Object.fromEntries(
  [redis, s3, secretsManager, firestore].map((store) => [store.name, benchmarkOf(store)]),
);

function benchmarkOf(bench: BenchStore): Benchmark {
  return async (progress) => {
    if (!bench.isHere()) return [];
    progress(`${bench.name}: reads and saves`);
    const store = await bench.start();
    const rows = await readsAndSaves(bench, store).finally(() => store.stop());
    return [...rows, ...(await refreshRates(bench.name, progress))];
  };
}
