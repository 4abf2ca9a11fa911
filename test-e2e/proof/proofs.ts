import type { ProofBackend } from './backends.ts';
import { comeAndGo } from './come-and-go.ts';
import { contendedWrites } from './contended-writes.ts';
import type { Proof } from './harness/proof.ts';
import { kills } from './kills.ts';
import { lostAnswers } from './lost-answers.ts';
import { faltering, manyAccounts } from './many-accounts.ts';
import { manyRecords } from './many-records.ts';
import { msalStorms } from './msal-storms.ts';
import { refreshStorm } from './refresh-storm.ts';
import { scopeSets } from './scope-sets.ts';
import { simulatedDay } from './simulated-day.ts';
import { clockSkew } from './skew.ts';
import { slowAuthority } from './slow-authority.ts';
import { stopped } from './stopped.ts';
import { storeDown } from './store-down.ts';

/** Every proof, in the order in which they are told. */
export const proofs: Readonly<Record<string, Proof>> = {
  'refresh-storm': refreshStorm,
  'scope-sets': scopeSets,
  'many-records': manyRecords,
  'many-accounts': manyAccounts,
  faltering,
  'msal-storms': msalStorms,
  kills,
  'slow-authority': slowAuthority,
  'come-and-go': comeAndGo,
  'contended-writes': contendedWrites,
  'clock-skew': clockSkew,
  stopped,
  'store-down': storeDown,
  'lost-answers': lostAnswers,
  'simulated-day': simulatedDay,
};

/** What a plugin for files, or no store at all, is measured with. */
const ON_FILES_ONLY: ReadonlySet<string> = new Set(['msal-storms', 'simulated-day']);

/** The proofs that say something about a kind of store. */
export function proofsOn({ folder }: ProofBackend): readonly (readonly [string, Proof])[] {
  return Object.entries(proofs).filter(([name]) => folder || !ON_FILES_ONLY.has(name));
}
