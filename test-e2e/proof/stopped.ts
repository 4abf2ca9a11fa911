import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage, until } from './harness/stage.ts';

const LEASE = { ttlMs: 1_500, renewEveryMs: 500, waitMs: 30_000 };
/** Renews all the time: where it is stopped, a renewal is on its way. */
const RESTLESS = { ...LEASE, renewEveryMs: 1 };

/** A process stands still (SIGSTOP) with its tokens unsaved until another took its lease over, then goes on. */
export const stopped: Proof = async (settings) => {
  const findings = new Findings('SIGSTOP past the lease', settings);
  if (!settings.backend.processes) return findings.skipped('this store lives in one process: nobody else could go on');
  const trials = settings.size === 'full' ? 10 : 1;
  const reusable = await play(settings, 'reusable', trials);
  const oneTime = await play(settings, 'one-time', trials);
  for (const reason of [...reusable.notTaken, ...oneTime.notTaken]) findings.detail(`not taken over: ${reason}`);
  return findings
    .tell('trials', 2 * trials)
    .require('takeovers', reusable.takenOver + oneTime.takenOver, (count) => count === 2 * trials, 'every trial')
    .requireEqual('reusable tokens: newer token lost by the late save', reusable.lost, 0)
    .requireEqual('one-time tokens: late save not merged', oneTime.lost, 0)
    .requireEqual('next refresh failed', reusable.unusable + oneTime.unusable, 0)
    .detail('every other process is stopped in the middle of a renewal of its lease')
    .detail('reusable: the survivor refreshed with the stored token, and what it stored stays when the late save arrives')
    .detail(
      'one-time: the survivor was refused (the stopped process had spent the token); the late save brings the only good token back',
    )
    .result();
};

async function play(settings: ProofSettings, mode: 'reusable' | 'one-time', trials: number) {
  const found = { takenOver: 0, lost: 0, unusable: 0, notTaken: [] as string[] };
  await using stage = await Stage.open(settings.backend, { refreshTokens: mode });
  const [survivor] = await stage.start(1, { lease: LEASE });
  if (!survivor) throw new Error('no survivor');
  await survivor.call('advance', { ms: 0 });
  for (let trial = 1; trial <= trials; trial++) {
    settings.progress(`${mode}, trial ${trial} of ${trials}`);
    const key = `user${trial}@contoso.example`;
    await stage.signIn(key, key);
    const [sleeper] = await stage.start(1, { lease: trial % 2 === 0 ? RESTLESS : LEASE, clockOffsetMs: 2 * HOUR_MS });
    if (!sleeper?.process) throw new Error('no process');
    await survivor.call('counts', {});
    await sleeper.call('atStep', { channel: 'tokenry:refresh-step', step: 'answered', action: 'SIGSTOP' });
    const late = sleeper.call('token', { tokenKey: key });
    late.catch(() => {}); // its failure is seen where it is awaited
    const before = stage.refreshCalls().length;
    const hasCalled = () =>
      stage
        .refreshCalls()
        .slice(before)
        .some(({ outcome }) => outcome === 'issued');
    await until('the call of the stopped process', hasCalled, 120_000);
    const survived = await survivor.call('token', { tokenKey: key, forceRefresh: true }).then(
      () => 'no need',
      (error: Error) => error.message,
    );
    const seen = await survivor.call('counts', {});
    // Where a silent holder's lease ends by itself, as in Redis, the next one simply acquires it.
    const takenOver = Math.min(1, seen['lease taken-over'] ?? seen['lease acquired'] ?? 0);
    found.takenOver += takenOver;
    if (takenOver === 0) found.notTaken.push(survived);
    sleeper.process.kill('SIGCONT');
    await late;
    // What the authority issued last is what has to be stored: the survivor's, or, if it was refused, the late one.
    if ((await stage.stored(key, key)) !== stage.newestIssued().get(key)) found.lost += 1;
    await survivor.call('token', { tokenKey: key, forceRefresh: true }).catch(() => {
      found.unusable += 1;
    });
    await sleeper.end();
    stage.workers.splice(stage.workers.indexOf(sleeper), 1);
  }
  return found;
}
