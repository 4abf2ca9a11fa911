import { backendNamed, type ProofBackend } from '../../test-e2e/proof/backends.ts';
import { HOUR_MS, Stage } from '../../test-e2e/proof/harness/stage.ts';
import { countLost, signInAll } from '../../test-e2e/proof/many-records.ts';
import type { Row } from '../row.ts';

const ACCOUNTS = 1_000;
const PROCESSES = 4;
const IN_FLIGHT = 10;
/** How long the authority takes. */
const LATENCIES_MS = [100, 0];

/** How many accounts are refreshed in a second by 4 processes, each in a record of its own, all of them expired at once. */
export async function refreshRates(name: string, progress: (text: string) => void): Promise<readonly Row[]> {
  const backend = backendNamed(name);
  try {
    return await ratesOn(backend, progress);
  } finally {
    await backend.end?.();
  }
}

async function ratesOn(backend: ProofBackend, progress: (text: string) => void): Promise<readonly Row[]> {
  const { name } = backend;
  await using stage = await Stage.open(backend, { refreshTokens: 'one-time-revoking' });
  const users = Array.from({ length: ACCOUNTS }, (_, index) => `user${index}@contoso.example`);
  await signInAll(stage, users, { progress: (text) => progress(`${name}: ${text}`) }, (username) => username);
  await stage.start(PROCESSES);
  const rows: Row[] = [];
  for (const delayMs of LATENCIES_MS) {
    progress(`${name}: refreshing ${ACCOUNTS} accounts, the authority takes ${delayMs} ms`);
    const fault = stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs });
    const { rate, errors, calls } = await refreshAll(stage, users);
    fault.remove();
    const lost = await countLost(stage, users, (username) => username);
    rows.push({
      measure: `refreshes of 1 000 accounts on ${name}, authority ${delayMs} ms`,
      ours: rate,
      unit: '/s',
      target: '1 call per account, none lost',
      met: errors === 0 && lost === 0 && calls === ACCOUNTS,
    });
  }
  return rows;
}

async function refreshAll(stage: Stage, users: readonly string[]) {
  await stage.advance(2 * HOUR_MS);
  const before = stage.refreshCalls().length;
  const startedAt = performance.now();
  const answers = await stage.all((worker, index) => {
    const mine = users.filter((_, user) => user % PROCESSES === index);
    return worker.call('work', { asks: mine.map((tokenKey) => ({ tokenKey })), inFlight: IN_FLIGHT });
  });
  const rate = (users.length * 1_000) / (performance.now() - startedAt);
  const errors = answers.flatMap((answer) => answer.errors).length;
  return { rate, errors, calls: stage.refreshCalls().length - before };
}
