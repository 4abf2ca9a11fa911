import { Findings, type Proof } from './harness/proof.ts';
import { Stage } from './harness/stage.ts';
import { storms } from './harness/storms.ts';

/** Short beside the real one of a minute, long enough that a busy machine runs its timers within it. */
const TTL_MS = 3_000;

/** The authority takes three times as long as a lease lives: it is renewed, nobody takes it over. */
export const slowAuthority: Proof = async (settings) => {
  const expiries = settings.size === 'full' ? 5 : 1;
  const findings = new Findings('slow authority', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  await stage.signIn('ada@contoso.example');
  await stage.start(4, { lease: { ttlMs: TTL_MS, renewEveryMs: TTL_MS / 6, waitMs: 60_000 } });
  stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 3 * TTL_MS });
  await stage.counts();
  const asks = Array.from({ length: 5 }, () => ({}));
  const { calls, errors } = await storms(stage, settings, { expiries, asks });
  const counts = await stage.counts();
  const stalls = await stage.all((worker) => worker.call('longestStallMs', {}));
  return findings
    .tell('lease TTL ms', TTL_MS)
    .tell('authority takes ms', 3 * TTL_MS)
    .tell('longest stall of a process ms', Math.max(...stalls))
    .tell('expiries', expiries)
    .requireEqual('most token calls per expiry', Math.max(...calls), 1)
    .requireEqual('steals', (counts['lease taken-over'] ?? 0) + (counts['lease lost'] ?? 0), 0)
    .require('renewals', counts['lease renewed'] ?? 0, (found) => found >= expiries * 3, 'at least 3 per expiry')
    .requireEqual('errors', errors.length, 0)
    .result();
};
