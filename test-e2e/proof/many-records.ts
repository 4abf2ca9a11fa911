import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage } from './harness/stage.ts';
import { unlockedRefreshes } from './unlocked.ts';

const PROCESSES = 4;
const IN_FLIGHT = 10;

/** 4 processes refresh 1 000 records that expired at once, beside a program that locks nothing and is as durable. */
export const manyRecords: Proof = async (settings) => {
  const records = settings.size === 'full' ? 1_000 : 40;
  const findings = new Findings('1 000 records', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  const users = Array.from({ length: records }, (_, index) => `user${index}@contoso.example`);
  await signInAll(stage, users, settings, (username) => username);
  await stage.start(PROCESSES);
  const rates: Record<string, number> = {};
  let errors = 0;
  for (const [name, delayMs] of [
    ['100 ms', 100],
    ['store-bound', 0],
  ] as const) {
    const fault =
      delayMs > 0 ? stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs }) : undefined;
    await stage.advance(2 * HOUR_MS);
    settings.progress(`${records} records, authority latency ${delayMs} ms`);
    const startedAt = performance.now();
    const answers = await stage.all((worker, index) =>
      worker.call('work', {
        asks: users.filter((_, user) => user % PROCESSES === index).map((tokenKey) => ({ tokenKey })),
        inFlight: IN_FLIGHT,
      }),
    );
    rates[name] = (records * 1000) / (performance.now() - startedAt);
    errors += answers.flatMap((answer) => answer.errors).length;
    fault?.remove();
  }
  const refreshes = stage.refreshCalls();
  const lost = await countLost(stage, users, (username) => username);
  findings
    .tell('records', records)
    .requireEqual('token calls', refreshes.length, 2 * records)
    .requireEqual('lost refresh tokens', lost, 0)
    .requireEqual('invalid_grant', refreshes.filter(({ error }) => error === 'invalid_grant').length, 0)
    .requireEqual('errors', errors, 0)
    .tell('refreshes/s at 100 ms', rates['100 ms'] ?? 0)
    .tell('refreshes/s store-bound', rates['store-bound'] ?? 0);
  if (!settings.backend.folder) return findings.tell('unlocked', 'not comparable on this backend').result();

  settings.progress('the same without locks');
  const bare = await unlockedRefreshes({ records, processes: PROCESSES, inFlight: IN_FLIGHT });
  const ratio = (rates['100 ms'] ?? 0) / bare.at100ms;
  findings.tell('unlocked refreshes/s at 100 ms', bare.at100ms).tell('unlocked store-bound', bare.storeBound);
  if (settings.size === 'full') findings.require('ratio at 100 ms', ratio, (found) => found >= 0.8, '0.8 or more');
  else findings.tell('ratio at 100 ms', ratio);
  return findings.tell('ratio store-bound', (rates['store-bound'] ?? 0) / bare.storeBound).result();
};

/** 4 processes all refresh the same 50 accounts of one record. */
export const manyAccounts: Proof = async (settings) => {
  const accounts = settings.size === 'full' ? 50 : 12;
  const expiries = settings.size === 'full' ? 5 : 1;
  const findings = new Findings('50 accounts in one record', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  const users = Array.from({ length: accounts }, (_, index) => `user${index}@contoso.example`);
  await signInAll(stage, users, settings, () => undefined);
  await stage.start(PROCESSES);
  const errors: string[] = [];
  for (let expiry = 1; expiry <= expiries; expiry++) {
    settings.progress(`expiry ${expiry} of ${expiries}`);
    await stage.advance(2 * HOUR_MS);
    const answers = await stage.all((worker) =>
      worker.call('work', { asks: users.map((username) => ({ username })), inFlight: IN_FLIGHT }),
    );
    errors.push(...answers.flatMap((answer) => answer.errors));
  }
  const refreshes = stage.refreshCalls();
  const cache = await stage.backend.loadToken({ fresh: true });
  return findings
    .tell('accounts', accounts)
    .tell('expiries', expiries)
    .requireEqual('token calls', refreshes.length, accounts * expiries)
    .requireEqual('lost refresh tokens', await countLost(stage, users, () => undefined), 0)
    .requireEqual('accounts stored', cache?.getAccounts().length ?? 0, accounts)
    .requireEqual('invalid_grant', refreshes.filter(({ error }) => error === 'invalid_grant').length, 0)
    .errors(errors)
    .result();
};

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
