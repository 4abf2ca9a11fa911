import type { PluginName } from './children/msal.ts';
import { installExtensions, MsalPrograms } from './harness/msal-programs.ts';
import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage } from './harness/stage.ts';
import { countLost, signInAll } from './many-records.ts';

const CALLERS = 25;
const ADA = 'ada@contoso.example';

interface Played {
  /** Storm of 8 × 25 callers for one account, one-time tokens. */
  readonly calls: number;
  readonly errors: number;
  readonly alive: boolean;
  /** Users in one record, spread over 4 processes. */
  readonly lost: number;
  readonly spreadErrors: number;
  /** What the errors were, and how often. */
  readonly codes?: string;
  /** File handles left to the garbage collector. */
  readonly leakedHandles?: number;
}

/** The same storms on msal-node with the cache plugins that there are, with ours, and on our accounts. */
export const msalStorms: Proof = async (settings) => {
  const expiries = settings.size === 'full' ? 3 : 1;
  const users = settings.size === 'full' ? 100 : 16;
  const findings = new Findings('msal-node beside ours', settings);
  if (!settings.backend.folder) return findings.skipped('msal-node is compared on files, where its plugins work');
  const tell = (name: string, played: Played, required: boolean) => {
    const asked = expiries * 8 * CALLERS;
    const text = `${played.calls} calls for ${expiries} expiries, ${played.errors} of ${asked} callers failed, session ${played.alive ? 'alive' : 'dead'}; ${played.lost} of ${users} rotated tokens lost, ${played.spreadErrors} errors`;
    if (played.codes) findings.detail(`${name}, errors: ${played.codes}`);
    findings.tell(name, text);
    if (!required) return findings;
    const flawless = played.calls === expiries && played.errors + played.lost + played.spreadErrors === 0 && played.alive;
    return findings.requireEqual(`${name} flawless`, flawless ? 1 : 0, 1);
  };
  tell('Tokenry accounts', await playOurs(settings, { expiries, users }), true);
  const ours = await play(settings, { plugin: '@tokenry/msal-cache', expiries, users });
  tell('msal-node with @tokenry/msal-cache', ours, false);
  findings
    .requireEqual('@tokenry/msal-cache: rotated tokens lost', ours.lost, 0)
    .requireEqual('@tokenry/msal-cache: errors of users in one record', ours.spreadErrors, 0);
  tell('msal-node with a plain file plugin', await play(settings, { plugin: 'plain file', expiries, users }), false);
  if (settings.size === 'short') return findings.tell('msal-node-extensions', 'in the full run only').result();
  settings.progress('installing msal-node-extensions');
  const installed = await installExtensions();
  if ('reason' in installed) return findings.tell('msal-node-extensions', `skipped: ${installed.reason}`).result();
  const play560 = play(settings, { plugin: 'msal-node-extensions', expiries, users, extensions: installed.folder });
  const extensions = await play560.catch((error: unknown) => String(error));
  if (typeof extensions === 'string') findings.tell('msal-node-extensions', `could not be run: ${extensions}`);
  else {
    tell('msal-node with msal-node-extensions 5.6.0', extensions, false);
    findings.tell('file handles that msal-node-extensions left open', extensions.leakedHandles ?? 0);
    findings.detail(
      'concurrent calls in one process make msal-node-extensions close the lock file of another call in place of its own: Node.js 26 ends a program for the first such handle that is collected; here the programs went on',
    );
  }
  return findings.result();
};

interface Plan {
  readonly expiries: number;
  readonly users: number;
}

async function playOurs(settings: ProofSettings, { expiries, users }: Plan): Promise<Played> {
  let errors = 0;
  let alive = false;
  let calls = 0;
  {
    await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
    await stage.signIn(ADA);
    await stage.start(8);
    for (let expiry = 0; expiry < expiries; expiry++) {
      settings.progress(`Tokenry accounts: expiry ${expiry + 1}`);
      await stage.advance(2 * HOUR_MS);
      const answers = await stage.all((worker) => worker.call('storm', { asks: Array.from({ length: CALLERS }, () => ({})) }));
      errors += answers.flatMap((answer) => answer.errors).length;
    }
    calls = stage.refreshCalls().length;
    alive = stage.refreshCalls().every(({ error }) => error === undefined);
  }
  await using stage = await Stage.open(settings.backend);
  const names = namesOf(users);
  await signInAll(stage, names, settings, () => undefined);
  await stage.start(4);
  await stage.advance(2 * HOUR_MS);
  const answers = await stage.all((worker, index) =>
    worker.call('storm', { asks: share(names, index).map((username) => ({ username })) }),
  );
  const spreadErrors = answers.flatMap((answer) => answer.errors).length;
  return { calls, errors, alive, lost: await countLost(stage, names, () => undefined), spreadErrors };
}

async function play(
  settings: ProofSettings,
  plan: Plan & { readonly plugin: PluginName; readonly extensions?: string },
): Promise<Played> {
  const { plugin, expiries } = plan;
  let errors = 0;
  let calls = 0;
  let alive = false;
  let leakedHandles = 0;
  const codes: string[] = [];
  {
    await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
    await stage.signIn(ADA);
    await using programs = await startPrograms(stage, { ...plan, count: 8 });
    for (let expiry = 0; expiry < expiries; expiry++) {
      settings.progress(`${plugin}: expiry ${expiry + 1}`);
      await programs.expire();
      const met = await programs.storm(() => Array.from({ length: CALLERS }, () => ADA));
      errors += met.length;
      codes.push(...met);
    }
    calls = stage.refreshCalls().length;
    alive = stage.refreshCalls().every(({ error }) => error === undefined);
    leakedHandles += await programs.leakedHandles();
  }
  await using stage = await Stage.open(settings.backend);
  const names = namesOf(plan.users);
  await signInAll(stage, names, settings, () => undefined);
  await using programs = await startPrograms(stage, { ...plan, count: 4 });
  settings.progress(`${plugin}: ${names.length} users`);
  await programs.expire();
  const met = await programs.storm((index) => share(names, index));
  codes.push(...met);
  const stored = await programs.stored();
  const newest = stage.newestIssued();
  const lost = names.filter((username) => !stored?.has(newest.get(username) ?? '')).length;
  leakedHandles += await programs.leakedHandles();
  return { calls, errors, alive, lost, spreadErrors: met.length, codes: counted(codes), leakedHandles };
}

async function startPrograms(
  stage: Stage,
  { plugin, extensions, count }: { readonly plugin: PluginName; readonly extensions?: string; readonly count: number },
): Promise<MsalPrograms> {
  const found = await stage.backend.records.read(stage.backend.defaultTokenKey);
  if (found === undefined || found === 'not-modified') throw new Error('nobody is signed in');
  return MsalPrograms.start(plugin, { count, authority: stage.authority, record: found.data, extensions });
}

function counted(codes: readonly string[]): string {
  const counts = Object.entries(Object.groupBy(codes, (code) => code)).map(([code, all]) => [code, all?.length ?? 0] as const);
  return counts
    .toSorted(([, one], [, other]) => other - one)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ');
}

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `user${index}@contoso.example`);
const share = (names: readonly string[], index: number) => names.filter((_, at) => at % 4 === index);
