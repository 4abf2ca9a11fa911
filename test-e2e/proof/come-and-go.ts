import { Findings, type Proof } from './harness/proof.ts';
import { Stage } from './harness/stage.ts';

/** Two processes sign two users in and out while a third refreshes them and a third user, in one record. */
export const comeAndGo: Proof = async (settings) => {
  const rounds = settings.size === 'full' ? (settings.backend.emulated ? 2_000 : 10_000) : 150;
  const findings = new Findings('sign-ins and sign-outs beside refreshes', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time' });
  await stage.signIn('carl@contoso.example');
  const [first, second, refresher] = await stage.start(3);
  if (!first || !second || !refresher) throw new Error('three processes are needed');
  const refreshing = refresher.call('keepRefreshing', {
    usernames: ['ada@contoso.example', 'carl@contoso.example', 'ben@contoso.example', 'carl@contoso.example'],
  });
  // Its failure is seen where it is awaited.
  refreshing.catch(() => {});
  const told = setInterval(
    () => settings.progress(`${stage.authority.calls({ grantType: 'password' }).length * 2} of ${rounds} rounds`),
    1_000,
  );
  const found = await Promise.all([
    first.call('comeAndGo', { username: 'ada@contoso.example', rounds: rounds / 2 }),
    second.call('comeAndGo', { username: 'ben@contoso.example', rounds: rounds / 2 }),
  ]);
  clearInterval(told);
  await refresher.call('stop', {});
  const { refreshed, errors } = await refreshing;
  const sum = (pick: (one: (typeof found)[number]) => number) => found.reduce((total, one) => total + pick(one), 0);
  const carl = 'carl@contoso.example';
  const carlFailed = Object.entries(errors).filter(([key]) => key.startsWith(carl));
  const strange = Object.entries(errors).filter(
    ([key]) => !/TOKENRY_(ACCOUNT_REMOVED|NOT_AUTHENTICATED)$/.test(key) && !key.startsWith(carl),
  );
  const updated = (await stage.stored(carl)) === stage.newestIssued().get(carl);
  const refused = stage.refreshCalls().filter(({ error }) => error === 'invalid_grant');
  findings
    .require(
      'rounds',
      sum((one) => one.rounds),
      (done) => done >= rounds - 4,
      String(rounds),
    )
    .tell('refreshes meanwhile', refreshed)
    .requireEqual(
      'resurrected accounts',
      sum((one) => one.resurrected),
      0,
    )
    .requireEqual(
      'eaten sign-ins',
      sum((one) => one.eaten),
      0,
    )
    .requireEqual('lost updates of the third user', updated ? 0 : 1, 0)
    .requireEqual('failed refreshes of the third user', carlFailed.length, 0)
    .requireEqual('unexpected errors', strange.length, 0)
    .requireEqual('invalid_grant', refused.length, 0)
    .tell(
      'refreshes that met a sign-out',
      Object.values(errors).reduce((total, count) => total + count, 0),
    );
  for (const [key, count] of [...carlFailed, ...strange]) findings.detail(`${key}: ${count}`);
  return findings.result();
};
