import { falter } from './harness/falter.ts';
import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage } from './harness/stage.ts';
import { countLost, signInAll } from './many-records.ts';

const PROCESSES = 4;
const IN_FLIGHT = 10;
/** Far below the lease's TTL: a process that stands still for so long keeps its lease, and everybody waits for it. */
const LONGEST_PAUSE_MS = 400;
const AT_RANDOM = ', processes stopped at random';

/** 4 processes all refresh the same 50 accounts of one record. */
export const manyAccounts: Proof = (settings) => inOneRecord(settings, { expiries: settings.size === 'full' ? 5 : 1 });

/** The same, and each process is stopped again and again, wherever it is, and goes on. */
export const faltering: Proof = async (settings) => {
  if (!settings.backend.processes)
    return new Findings(`50 accounts in one record${AT_RANDOM}`, settings).skipped('this store lives in one process');
  const full = settings.backend.emulated ? 3 : 20;
  return inOneRecord(settings, { expiries: settings.size === 'full' ? full : 2, title: AT_RANDOM, falters: true });
};

interface Course {
  readonly expiries: number;
  readonly title?: string;
  readonly falters?: boolean;
}

async function inOneRecord(settings: ProofSettings, { expiries, title = '', falters = false }: Course) {
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  // Into the 64 KiB of a secret go 16 of them.
  const { maxRecordBytes = Number.POSITIVE_INFINITY } = stage.backend.capabilities;
  const accounts = settings.size === 'short' ? 12 : maxRecordBytes < 100_000 ? 15 : 50;
  const findings = new Findings(`${accounts} accounts in one record${title}`, settings);
  const users = Array.from({ length: accounts }, (_, index) => `user${index}@contoso.example`);
  await signInAll(stage, users, settings, () => undefined);
  await stage.start(PROCESSES);
  const errors: string[] = [];
  let pauses = 0;
  for (let expiry = 1; expiry <= expiries; expiry++) {
    settings.progress(`expiry ${expiry} of ${expiries}`);
    await stage.advance(2 * HOUR_MS);
    const faltering = falters ? falter(stage.workers, LONGEST_PAUSE_MS) : undefined;
    const answers = await stage.all((worker) =>
      worker.call('work', { asks: users.map((username) => ({ username })), inFlight: IN_FLIGHT }),
    );
    pauses += (await faltering?.end()) ?? 0;
    errors.push(...answers.flatMap((answer) => answer.errors));
  }
  const refreshes = stage.refreshCalls();
  const cache = await stage.backend.loadToken({ fresh: true });
  if (falters) findings.tell(`pauses of up to ${LONGEST_PAUSE_MS} ms`, pauses);
  return findings
    .tell('accounts', accounts)
    .tell('expiries', expiries)
    .requireEqual('token calls', refreshes.length, accounts * expiries)
    .requireEqual('lost refresh tokens', await countLost(stage, users, () => undefined), 0)
    .requireEqual('accounts stored', cache?.getAccounts().length ?? 0, accounts)
    .requireEqual('invalid_grant', refreshes.filter(({ error }) => error === 'invalid_grant').length, 0)
    .errors(errors)
    .result();
}
