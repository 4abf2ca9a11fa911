import type { Proof } from './harness/proof.ts';
import { manyAccounts, manyRecords } from './many-records.ts';
import { refreshStorm } from './refresh-storm.ts';
import { scopeSets } from './scope-sets.ts';

/** Every proof, in the order in which they are told. */
export const proofs: Readonly<Record<string, Proof>> = {
  'refresh-storm': refreshStorm,
  'scope-sets': scopeSets,
  'many-records': manyRecords,
  'many-accounts': manyAccounts,
};
