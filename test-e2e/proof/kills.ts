import type { ProofBackend } from './backends.ts';
import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { type SaveMoment, SaveWatch } from './harness/save-watch.ts';
import { HOUR_MS, Stage, until } from './harness/stage.ts';
import type { Worker } from './harness/worker.ts';

type Mode = 'reusable' | 'one-time';

/** Where a process is killed. */
interface Aim {
  readonly name: string;
  readonly channel?: 'tokenry:refresh-step' | 'tokenry:save-step';
  readonly step?: string;
  /** Killed as soon as the authority has the call. */
  readonly onCall?: boolean;
  /** Killed at this moment of a save over a network. */
  readonly saving?: SaveMoment;
  /**
   * Whether a one-time refresh token is spent by then, and its successor not yet where another process finds it. For a call
   * on its way the server decides: this one drops a request whose client is gone before it has worked on it.
   */
  readonly inWindow: boolean | 'server decides';
}

const AIMS: readonly Aim[] = [
  { name: 'before lease', channel: 'tokenry:refresh-step', step: 'before-lease', inWindow: false },
  { name: 'holding lease', channel: 'tokenry:refresh-step', step: 'lease-held', inWindow: false },
  { name: 'token call sent', onCall: true, inWindow: 'server decides' },
  { name: 'response received', channel: 'tokenry:refresh-step', step: 'answered', inWindow: true },
  { name: 'temp file written', channel: 'tokenry:save-step', step: 'temp-written', inWindow: true },
  { name: 'before rename', channel: 'tokenry:save-step', step: 'before-rename', inWindow: true },
  { name: 'after rename', channel: 'tokenry:save-step', step: 'after-rename', inWindow: false },
  { name: 'before release', channel: 'tokenry:refresh-step', step: 'before-release', inWindow: false },
];

/** Between the answer of the authority and the save, when a proxy before the store sees what is sent to it and back. */
function aimsOnTheWay({ network }: ProofBackend): readonly Aim[] {
  const requests = network?.saveRequests ?? [];
  if (requests.length === 0) return [];
  return [
    ...requests.flatMap(({ name }, request): readonly Aim[] => [
      { name: `${name} sent`, saving: { request, at: 'request' }, inWindow: true },
      { name: `${name} made, not answered`, saving: { request, at: 'answer' }, inWindow: request < requests.length - 1 },
    ]),
    { name: 'save answered', channel: 'tokenry:refresh-step', step: 'saved', inWindow: false },
  ];
}

function aimsOn(backend: ProofBackend): readonly Aim[] {
  const here = AIMS.filter(({ channel, step }) => channel !== 'tokenry:save-step' || backend.saveSteps.includes(step ?? ''));
  return [...here.slice(0, -1), ...aimsOnTheWay(backend), ...here.slice(-1)];
}

/** How long the authority takes per call: so that "sent" is a moment that can be hit. */
const CALL_MS = 300;
/** How long a process may take to begin on a busy machine. */
const PATIENCE_MS = 120_000;
/** What a survivor may need: it recognises a dead owner on the same machine at once. */
const STUCK_MS = 10_000;
/** Elsewhere a dead owner is known by its silence alone: so that it need not last a minute. */
const SILENT_LEASE = { ttlMs: 3_000, renewEveryMs: 1_000, waitMs: 30_000 };

interface Outcome {
  readonly key: string;
  readonly aim: Aim | undefined;
  readonly killed: boolean;
  readonly recovered: boolean;
  readonly torn: boolean;
  /** The authority had issued a newer refresh token than the one in the store. */
  readonly unsaved: boolean;
  readonly tookMs: number;
  readonly error: string | undefined;
}

/** Processes are killed with SIGKILL at every named step of a refresh, and anywhere; a survivor goes on. */
export const kills: Proof = async (settings) => {
  const findings = new Findings('kill -9', settings);
  if (!settings.backend.processes) return findings.skipped('this store lives in one process: there is nobody to survive');
  const full = settings.size === 'full';
  const { network } = settings.backend;
  // In short, over a network: one process, whose save was made and not answered; the other steps are those on files.
  const once = network !== undefined && !full;
  const aims = once ? aimsOnTheWay(settings.backend).slice(-2, -1) : aimsOn(settings.backend);
  const perMode = full ? (settings.backend.emulated ? 84 : 156) : once ? 1 : 12;
  if (network) findings.tell('lease TTL ms', SILENT_LEASE.ttlMs);
  const all: (Outcome & { readonly mode: Mode })[] = [];
  let windows: readonly number[] = [];
  for (const mode of once ? (['one-time'] as const) : (['reusable', 'one-time'] as const)) {
    await using stage = await Stage.open(settings.backend, { refreshTokens: mode });
    const plan = Array.from({ length: perMode }, (_, index) =>
      index % (aims.length + 2) < aims.length ? aims[index % (aims.length + 2)] : undefined,
    );
    for (const outcome of await killAll(stage, plan, settings, mode)) all.push({ ...outcome, mode });
    if (mode === 'one-time' && !once) windows = await measureWindow(stage, full ? 200 : 20);
  }
  return told(findings, all, windows, network ? SILENT_LEASE.waitMs : STUCK_MS);
};

async function killAll(
  stage: Stage,
  plan: readonly (Aim | undefined)[],
  settings: ProofSettings,
  mode: Mode,
): Promise<Outcome[]> {
  const keys = plan.map((_, index) => `user${index}@contoso.example`);
  settings.progress(`${mode}: signing ${keys.length} users in`);
  for (const key of keys) await stage.signIn(key, key);
  const { network } = stage.proofBackend;
  const [survivor] = await stage.start(1, network ? { lease: SILENT_LEASE } : {});
  if (!survivor) throw new Error('no survivor');
  await stage.advance(2 * HOUR_MS);
  const slow = stage.authority.faults.add({
    endpoint: 'token',
    grantType: 'refresh_token',
    clientId: 'tokenry-proof',
    delayMs: CALL_MS,
  });
  const outcomes: Outcome[] = [];
  const waiting = plan.map((aim, index) => ({ aim, key: keys[index] ?? '' }));
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      outcomes.push(await killOne(stage, survivor, next));
      settings.progress(`${mode}: ${outcomes.length} of ${plan.length} kills`);
    }
  };
  // Over a network they mostly wait for the end of leases.
  await Promise.all(Array.from({ length: network ? 6 : 3 }, lane));
  slow.remove();
  return outcomes;
}

async function killOne(
  stage: Stage,
  survivor: Worker,
  { aim, key }: { readonly aim: Aim | undefined; readonly key: string },
): Promise<Outcome> {
  const { network } = stage.proofBackend;
  const strike = { now: () => {} };
  const { saving } = aim ?? {};
  const watch =
    network && saving && (await SaveWatch.before(stage.location, { network, moment: saving, strike: () => strike.now() }));
  const [victim] = await stage.start(1, {
    clockOffsetMs: 2 * HOUR_MS,
    ...(network ? { lease: SILENT_LEASE } : {}),
    ...(watch ? { location: network.through(stage.location, watch.port) } : {}),
  });
  if (!victim) throw new Error('no victim');
  strike.now = () => victim.process?.kill('SIGKILL');
  const spent = await stage.stored(key, key);
  const { channel, step } = aim ?? {};
  if (channel !== undefined && step !== undefined) await victim.call('atStep', { channel, step, action: 'SIGKILL' });
  else if (aim === undefined) await victim.call('killAfter', { ms: Math.random() * (CALL_MS + 700) });
  const finishes = victim.call('token', { tokenKey: key }).then(
    () => true,
    () => false,
  );
  if (aim?.onCall) {
    const isSent = () => stage.refreshCalls().some(({ refreshTokenSha256 }) => refreshTokenSha256 === spent);
    await until('the token call', isSent, PATIENCE_MS);
    victim.process?.kill('SIGKILL');
  }
  const finished = await finishes;
  if (finished) await victim.end();
  await victim.gone();
  stage.workers.splice(stage.workers.indexOf(victim), 1);
  await watch?.close();
  // What a dead process had sent is worked on all the same.
  await new Promise((resolve) => setTimeout(resolve, CALL_MS));

  const torn = await stage.backend.loadToken({ tokenKey: key, fresh: true }).then(
    (cache) => cache?.getAccounts().length !== 1,
    () => true,
  );
  const left = await stage.stored(key, key).catch(() => undefined);
  const startedAt = performance.now();
  const error = await survivor.call('token', { tokenKey: key, forceRefresh: true }).then(
    () => undefined,
    (failure: { readonly code?: string; readonly message: string }) => failure.code ?? failure.message,
  );
  const tookMs = performance.now() - startedAt;
  // A survivor that is refused is issued nothing: the newest is still the victim's.
  const unsaved = error !== undefined && left !== stage.newestIssued().get(key);
  return { key, aim, killed: !finished, recovered: error === undefined, torn, unsaved, tookMs, error };
}

/** How long the tokens of a refresh exist nowhere but in memory. */
async function measureWindow(stage: Stage, refreshes: number): Promise<readonly number[]> {
  await stage.signIn('window@contoso.example', 'window');
  const [worker] = await stage.start(1, { clockOffsetMs: 2 * HOUR_MS });
  const widths =
    (await worker?.call('window', { asks: Array.from({ length: refreshes }, () => ({ tokenKey: 'window' })) })) ?? [];
  return [...widths].sort((a, b) => a - b);
}

function told(
  findings: Findings,
  all: readonly (Outcome & { readonly mode: Mode })[],
  windows: readonly number[],
  stuckMs: number,
) {
  const killed = all.filter((one) => one.killed || one.aim === undefined);
  const lost = (mode: Mode) => all.filter((one) => one.mode === mode && !one.recovered);
  const expected = all.filter(({ mode, aim, killed: dead }) => mode === 'one-time' && dead && aim?.inWindow === true);
  const onTheWay = all.filter(({ mode, aim, killed: dead }) => mode === 'one-time' && dead && aim?.inWindow === 'server decides');
  const outside = lost('one-time').filter(({ aim }) => aim?.inWindow === false);
  const missedAims = all.filter(({ aim, killed: dead }) => aim !== undefined && !dead);
  findings
    .require('kills', killed.length, (count) => count >= all.length - missedAims.length, 'all of them')
    .requireEqual('torn or empty records', all.filter(({ torn }) => torn).length, 0)
    .requireEqual('stuck leases', all.filter(({ tookMs }) => tookMs > stuckMs).length, 0)
    .requireEqual('accounts lost, reusable tokens', lost('reusable').length, 0)
    .requireEqual('accounts lost outside the window, one-time tokens', outside.length, 0)
    .requireEqual('lost although the newest token was stored', all.filter((one) => !one.recovered && !one.unsaved).length, 0)
    .tell('killed between response and durable save, one-time tokens', expected.length)
    .requireEqual('of these lost', expected.filter(({ recovered }) => !recovered).length, expected.length)
    .tell('killed with the call on its way, one-time tokens', onTheWay.length)
    .tell('of these lost by the server’s doing', onTheWay.filter(({ recovered }) => !recovered).length)
    .tell('lost by random kills, one-time tokens', lost('one-time').filter(({ aim }) => aim === undefined).length)
    .tell('longest recovery ms', Math.max(...all.map(({ tookMs }) => tookMs)))
    .tell('window p50 ms', windows[windows.length >> 1] ?? 0)
    .tell('window p99 ms', windows[Math.floor(windows.length * 0.99)] ?? 0)
    .tell('window max ms', windows.at(-1) ?? 0);
  if (missedAims.length > 0) findings.detail(`steps that were not reached: ${missedAims.map(({ aim }) => aim?.name).join(', ')}`);
  for (const mode of ['reusable', 'one-time'] as const)
    for (const [name, group] of Map.groupBy(
      all.filter((one) => one.mode === mode),
      ({ aim }) => aim?.name ?? 'random moment',
    )) {
      const gone = group.filter(({ recovered }) => !recovered);
      const errors = [...new Set(gone.map(({ error }) => error))].join(', ');
      findings.detail(`${mode}, ${name}: ${group.length} kills, ${gone.length} lost${errors === '' ? '' : ` (${errors})`}`);
    }
  const each = lost('one-time').map(({ key, aim }) => `${key.split('@', 1)[0]} (${aim?.name ?? 'random moment'})`);
  if (each.length > 0) findings.detail(`one-time, lost, one by one: ${each.join(', ')}`);
  return findings.result();
}
