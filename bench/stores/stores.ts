import type { Benchmark, Row } from '../row.ts';
import { s3, secretsManager } from './aws.ts';
import { firestore } from './firestore.ts';
import { invalidation } from './invalidation.ts';
import { readsAndSaves } from './reads-and-saves.ts';
import { redis } from './redis.ts';
import { refreshRates } from './refresh-rates.ts';
import type { BenchStore } from './store.ts';

/** What each shared store costs, on a server that is started for it; one that is missing is said, and left out. */
export const stores: Readonly<Record<string, Benchmark>> = {
  ...Object.fromEntries([redis, s3, secretsManager, firestore].map((store) => [store.name, benchmarkOf(store)])),
  'redis-invalidation': invalidation,
};

function benchmarkOf(bench: BenchStore): Benchmark {
  return async (progress) => {
    if (!bench.isHere()) return [];
    progress(`${bench.name}: reads and saves`);
    const rows = await measured(bench);
    return [...rows, ...(await refreshRates(bench.name, progress))];
  };
}

async function measured(bench: BenchStore): Promise<readonly Row[]> {
  const store = await bench.start();
  try {
    return await readsAndSaves(bench, store);
  } finally {
    await store.stop();
  }
}
