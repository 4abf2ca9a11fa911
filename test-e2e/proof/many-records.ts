import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage } from './harness/stage.ts';
import { UnlockedPrograms } from './unlocked.ts';

const PROCESSES = 4;
const IN_FLIGHT = 10;

/** Latency of the authority. */
const LATENCIES = { 'at 100 ms': 100, 'store-bound': 0 } as const;

/** 4 processes refresh 1 000 records that expired at once, beside a program that locks nothing and is as durable. */
export const manyRecords: Proof = async (settings) => {
  const records = settings.size === 'full' ? 1_000 : 40;
  // Only the comparison with the program that locks nothing, which works on files, needs to be repeated.
  const rounds = settings.size === 'full' && settings.backend.folder ? 5 : 1;
  const findings = new Findings('1 000 records', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  const users = Array.from({ length: records }, (_, index) => `user${index}@contoso.example`);
  await signInAll(stage, users, settings, (username) => username);
  await stage.start(PROCESSES);
  await using unlocked = settings.backend.folder ? await UnlockedPrograms.start(users, PROCESSES) : undefined;
  const errors: string[] = [];
  const ours = async () => {
    await stage.advance(2 * HOUR_MS);
    return timed(async () => {
      const answers = await stage.all((worker, index) =>
        worker.call('work', {
          asks: users.filter((_, user) => user % PROCESSES === index).map((tokenKey) => ({ tokenKey })),
          inFlight: IN_FLIGHT,
        }),
      );
      errors.push(...answers.flatMap((answer) => answer.errors));
      return answers.map(({ cpuMs }) => cpuMs);
    });
  };
  const theirs = unlocked && (() => timed(() => unlocked.refreshAll(IN_FLIGHT)));
  settings.progress('warming up');
  await ours();
  await theirs?.();
  for (const [name, delayMs] of Object.entries(LATENCIES)) {
    const slow = { endpoint: 'token', grantType: 'refresh_token', delayMs } as const;
    const faults = delayMs > 0 ? [stage, unlocked?.stage].map((one) => one?.authority.faults.add(slow)) : [];
    const pairs: Pair[] = [];
    for (let round = 0; round < rounds; round++) {
      settings.progress(`${records} records ${name}, round ${round + 1} of ${rounds}`);
      pairs.push(await inTurn(ours, theirs, round % 2 === 1));
    }
    for (const fault of faults) fault?.remove();
    tellRates(findings, { name, records, pairs, required: settings.size === 'full' && delayMs > 0 });
  }
  const refreshes = stage.refreshCalls();
  const lost = await countLost(stage, users, (username) => username);
  return findings
    .tell('records', records)
    .requireEqual('token calls per record', refreshes.length / records, 1 + rounds * Object.keys(LATENCIES).length)
    .requireEqual('lost refresh tokens', lost, 0)
    .requireEqual('invalid_grant', refreshes.filter(({ error }) => error === 'invalid_grant').length, 0)
    .errors(errors)
    .result();
};

/** How long the same round took with and without locks, one right after the other. */
interface Pair {
  readonly ours: Round;
  readonly unlocked: Round | undefined;
}

interface Round {
  readonly tookMs: number;
  /** Processor time of all processes. */
  readonly cpuMs: number;
}

/** Each pair begins with the other one: what the machine does besides, and what grows in the meantime, hits both alike. */
async function inTurn(
  ours: () => Promise<Round>,
  unlocked: (() => Promise<Round>) | undefined,
  unlockedFirst: boolean,
): Promise<Pair> {
  const first = unlockedFirst ? await unlocked?.() : undefined;
  return { ours: await ours(), unlocked: first ?? (await unlocked?.()) };
}

function tellRates(
  findings: Findings,
  { name, records, pairs, required }: { name: string; records: number; pairs: readonly Pair[]; required: boolean },
): void {
  const ours = pairs.map((pair) => pair.ours);
  const unlocked = pairs.flatMap((pair) => pair.unlocked ?? []);
  findings.tell(`refreshes/s ${name}`, rateOf(ours, records));
  if (unlocked.length === 0) return void findings.tell(`unlocked refreshes/s ${name}`, 'not comparable on this backend');
  const ratio = rateOf(ours, records) / rateOf(unlocked, records);
  findings.tell(`unlocked refreshes/s ${name}`, rateOf(unlocked, records));
  if (required) findings.require(`ratio ${name}`, ratio, (found) => found >= 0.8, '0.8 or more');
  else findings.tell(`ratio ${name}`, ratio);
  const ratios = unlocked.map(({ tookMs }, pair) => tookMs / (ours[pair]?.tookMs ?? Number.NaN));
  const told = ratios.map((one) => one.toFixed(2)).join(', ');
  findings.detail(
    `ratio ${name}, round by round: ${told}; median ${median(ratios).toFixed(2)}; above: the fastest round of each`,
  );
  findings.detail(
    `processor time of a refresh ${name}: ${cpuOf(ours, records)} ms, unlocked ${cpuOf(unlocked, records)} ms; where processors are short the ratio tells that`,
  );
}

/** Whatever else the machine does only slows a round down: the fastest tells most about the program. */
function rateOf(rounds: readonly Round[], records: number): number {
  return (records * 1000) / Math.min(...rounds.map(({ tookMs }) => tookMs));
}

function cpuOf(rounds: readonly Round[], records: number): string {
  return (Math.min(...rounds.map(({ cpuMs }) => cpuMs)) / records).toFixed(1);
}

async function timed(work: () => Promise<readonly number[]>): Promise<Round> {
  const startedAt = performance.now();
  const cpuMs = (await work()).reduce((sum, one) => sum + one, 0);
  return { tookMs: performance.now() - startedAt, cpuMs };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export async function signInAll(
  stage: Stage,
  users: readonly string[],
  settings: Pick<ProofSettings, 'progress'>,
  keyOf: (username: string) => string | undefined,
): Promise<void> {
  settings.progress(`signing ${users.length} users in`);
  const waiting = [...users];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await stage.signIn(next, keyOf(next));
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

/** Users whose newest refresh token, by the authority's account, is not the one in the store. */
export async function countLost(
  stage: Stage,
  users: readonly string[],
  keyOf: (username: string) => string | undefined,
): Promise<number> {
  const newest = stage.newestIssued();
  let lost = 0;
  for (const username of users) if ((await stage.stored(username, keyOf(username))) !== newest.get(username)) lost += 1;
  return lost;
}
