import { Findings, type Proof } from './harness/proof.ts';
import { Stage } from './harness/stage.ts';
import { storms } from './harness/storms.ts';

/** Three processes whose clocks are five minutes apart each. */
export const clockSkew: Proof = async (settings) => {
  const expiries = settings.size === 'full' ? 20 : 2;
  const findings = new Findings('clock skew of ±5 min', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  await stage.signIn('ada@contoso.example');
  await stage.start(3, (index) => ({ clockOffsetMs: (index - 1) * 300_000, lease: { ttlMs: 6_000, renewEveryMs: 2_000 } }));
  stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 100 });
  await stage.counts();
  const asks = Array.from({ length: 10 }, () => ({}));
  const { calls, errors } = await storms(stage, settings, { expiries, asks });
  const counts = await stage.counts();
  return findings
    .tell('expiries', expiries)
    .requireEqual('steals', (counts['lease taken-over'] ?? 0) + (counts['lease lost'] ?? 0), 0)
    .requireEqual('most token calls per expiry', Math.max(...calls), 1)
    .requireEqual('invalid_grant', stage.refreshCalls().filter(({ error }) => error === 'invalid_grant').length, 0)
    .errors(errors)
    .result();
};
