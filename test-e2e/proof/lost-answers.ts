import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage } from './harness/stage.ts';

/** The authority rotates the token, and the connection breaks before its answer is there. */
export const lostAnswers: Proof = async (settings) => {
  const expiries = settings.size === 'full' ? 10 : 2;
  const reusable = await play(settings, 'reusable', expiries);
  const oneTime = await play(settings, 'one-time', expiries);
  return new Findings('lost answers', settings)
    .tell('expiries', 2 * expiries)
    .requireEqual('reusable tokens: most calls per expiry', reusable.mostCalls, 2)
    .requireEqual('reusable tokens: callers without a token after one more try', reusable.unserved, 0)
    .require('one-time tokens: most calls per expiry', oneTime.mostCalls, (calls) => calls <= 2, '2 or fewer')
    .requireEqual('one-time tokens: told to sign in', oneTime.signInRequired, oneTime.asked)
    .detail('with one-time tokens the lost answer held the only good token: every caller is told to sign in, none tries again')
    .result();
};

async function play(settings: ProofSettings, mode: 'reusable' | 'one-time', expiries: number) {
  await using stage = await Stage.open(settings.backend, { refreshTokens: mode });
  await stage.start(4);
  const asks = Array.from({ length: 10 }, () => ({}));
  const found = { mostCalls: 0, unserved: 0, signInRequired: 0, asked: 0 };
  for (let expiry = 1; expiry <= expiries; expiry++) {
    settings.progress(`${mode}, expiry ${expiry} of ${expiries}`);
    await stage.signIn('ada@contoso.example');
    await stage.advance(2 * HOUR_MS);
    const before = stage.refreshCalls().length;
    stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', reset: 'after-commit', times: 1 });
    await stage.all((worker) => worker.call('storm', { asks }));
    const again = await stage.all((worker) => worker.call('storm', { asks }));
    found.mostCalls = Math.max(found.mostCalls, stage.refreshCalls().length - before);
    const errors = again.flatMap((answer) => answer.errors);
    found.unserved += errors.length;
    found.asked += 40;
    found.signInRequired += errors.filter((code) => /TOKENRY_(INTERACTION_REQUIRED|NOT_AUTHENTICATED)/.test(code)).length;
  }
  return found;
}
