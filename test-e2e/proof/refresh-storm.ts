import { Findings, type Proof } from './harness/proof.ts';
import { Stage } from './harness/stage.ts';
import { type StormAnswers, storms } from './harness/storms.ts';

const CALLERS = 25;

/** 8 processes × 25 callers ask for one expired account, whose session ends when a refresh token is used twice. */
export const refreshStorm: Proof = async (settings) => {
  const expiries = settings.size === 'full' ? 20 : 2;
  const processes = settings.size === 'short' && settings.backend.network ? 4 : 8;
  const findings = new Findings('refresh storm', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  await stage.signIn('ada@contoso.example');
  await stage.start(processes);
  const asks = Array.from({ length: CALLERS }, () => ({}));
  const tooks: number[] = [];
  let refused = 0;
  const after = async (answers: StormAnswers) => {
    tooks.push(Math.max(...answers.map(({ tookMs }) => tookMs)));
    for (const token of new Set(answers.flatMap(({ tokens }) => tokens))) if (!(await stage.accepts(token))) refused += 1;
  };
  const { calls, served, errors } = await storms(stage, settings, { expiries, asks, after });
  const invalidGrant = stage.refreshCalls().filter(({ error }) => error === 'invalid_grant').length;
  tooks.sort((a, b) => a - b);
  return findings
    .tell('expiries', expiries)
    .tell('processes × callers', `${processes} × ${CALLERS}`)
    .requireEqual('most token calls per expiry', Math.max(...calls), 1)
    .requireEqual(
      'token calls',
      calls.reduce((sum, count) => sum + count, 0),
      expiries,
    )
    .requireEqual('invalid_grant', invalidGrant, 0)
    .requireEqual('callers served', served, expiries * processes * CALLERS)
    .requireEqual('tokens refused by the API', refused, 0)
    .tell('storm p50 ms', tooks[tooks.length >> 1] ?? 0)
    .tell('storm max ms', tooks.at(-1) ?? 0)
    .errors(errors)
    .result();
};
