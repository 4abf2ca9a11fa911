import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TcpFaultProxy } from '../faults/tcp-fault-proxy.ts';
import type { PreparedStore, StoreNetwork } from './backends.ts';
import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { HOUR_MS, Stage, sha256, until } from './harness/stage.ts';
import { startWorker, type Worker } from './harness/worker.ts';

const run = promisify(execFile);
const NOBODY = 65_534;
const USER = 'ada@contoso.example';

interface Played {
  readonly served: number;
  readonly spentMeanwhile: number;
  readonly notSavedEvents: number;
  readonly saved: boolean;
  readonly toldToSignIn: number;
  readonly errors: readonly string[];
}

/** How a store is taken from the processes between a token answer and its save, and given back. */
interface Outage {
  /** A process that has read its tokens. */
  start(): Promise<Worker>;
  /** Strikes in the middle of the next refresh of `holder`. */
  arrange(holder: Worker): Promise<void>;
  /** Resolves when the store is gone, after the refresh. */
  struck(): Promise<void>;
  end(holder: Worker): Promise<void>;
}

/** The store stops taking writes between a token answer and its save. */
export const storeDown: Proof = async (settings) => {
  const findings = new Findings('store down during a refresh', settings);
  const { network, folder } = settings.backend;
  if (network) return await overNetwork(findings, settings, network);
  if (!folder) return findings.skipped('the store is neither a folder nor a server: nothing takes it away');
  const permission = await withPermissionRemoved(settings);
  tell(findings, 'permission removed', permission);
  const full = await withFullDisk(settings);
  if (typeof full === 'string') findings.tell('full tmpfs', full);
  else tell(findings, 'full tmpfs', full);
  return findings.result();
};

function tell(findings: Findings, name: string, played: Played): void {
  findings
    .requireEqual(`${name}: callers served`, played.served, 26)
    .requireEqual(`${name}: refresh token spent meanwhile`, played.spentMeanwhile, 0)
    .require(`${name}: token-not-saved events`, played.notSavedEvents, (count) => count >= 1, '1 or more')
    .requireEqual(`${name}: told to sign in`, played.toldToSignIn, 0)
    .requireEqual(`${name}: saved after recovery`, played.saved ? 1 : 0, 1);
  for (const error of played.errors) findings.detail(`${name}: ${error}`);
}

async function withPermissionRemoved(settings: ProofSettings): Promise<Played> {
  settings.progress('permission removed');
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  return await play(stage, folderOutage(stage, stage.location, 'lock-folder'));
}

/** A string: why it cannot be tried here. */
async function withFullDisk(settings: ProofSettings): Promise<Played | string> {
  settings.progress('full tmpfs');
  const mount = await mkdtemp(join(tmpdir(), 'tokenry-full-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', mount]);
  } catch {
    await rm(mount, { recursive: true, force: true });
    return 'not tried: this user may not mount a tmpfs';
  }
  try {
    const backend = { ...settings.backend, prepare: async () => ({ location: mount, destroy: async () => {} }) };
    await using stage = await Stage.open(backend, { refreshTokens: 'one-time-revoking' });
    return await play(stage, folderOutage(stage, mount, 'fill-folder'));
  } finally {
    await run('umount', [mount]);
    await rm(mount, { recursive: true, force: true });
  }
}

async function overNetwork(findings: Findings, settings: ProofSettings, network: StoreNetwork) {
  settings.progress('connection cut');
  let prepared: PreparedStore | undefined;
  const backend = {
    ...settings.backend,
    prepare: async () => {
      prepared = await settings.backend.prepare();
      return prepared;
    },
  };
  {
    await using stage = await Stage.open(backend, { refreshTokens: 'one-time-revoking' });
    const proxy = await TcpFaultProxy.before(network.portOf(stage.location));
    tell(
      findings,
      'connection cut',
      await play(
        stage,
        networkOutage(stage, network.through(stage.location, proxy.port), {
          take: () => proxy.cut(),
          give: () => proxy.mend(),
        }),
      ),
    );
    await proxy.close();
  }
  if (!prepared?.server) return findings.result();
  settings.progress('server killed');
  await using stage = await Stage.open(backend, { refreshTokens: 'one-time-revoking' });
  const { server } = prepared;
  const killed = networkOutage(stage, stage.location, { take: () => server.kill(), give: () => server.resume() });
  tell(findings, 'server killed and started again', await play(stage, killed));
  return findings.result();
}

/** The store goes while the token call is on its way. */
function networkOutage(
  stage: Stage,
  location: string,
  { take, give }: { readonly take: () => Promise<void>; readonly give: () => Promise<void> },
): Outage {
  let taken: Promise<void> = Promise.resolve();
  return {
    start: () => startWith(stage, startWorker(true), { location }),
    async arrange() {
      const before = stage.refreshCalls().length;
      stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 1_000, times: 1 });
      taken = until('the token call', () => stage.refreshCalls().length > before).then(take);
      taken.catch(() => undefined); // its failure is seen where it is awaited
    },
    struck: () => taken,
    end: give,
  };
}

function folderOutage(stage: Stage, folder: string, action: 'lock-folder' | 'fill-folder'): Outage {
  return {
    start: () => startUnprivileged(stage, folder),
    arrange: (holder) => holder.call('atStep', { channel: 'tokenry:refresh-step', step: 'answered', action }),
    struck: async () => undefined,
    end: (holder) => holder.call('mendFolder', {}),
  };
}

async function play(stage: Stage, outage: Outage): Promise<Played> {
  await stage.signIn(USER);
  await stage.backend.close();
  const [holder, other] = await Promise.all([outage.start(), outage.start()]);
  // Both know the record; its tokens are over.
  await stage.advance(2 * HOUR_MS);
  const errors: string[] = [];
  await outage.arrange(holder);
  const first = await holder.call('storm', { asks: Array.from({ length: 25 }, () => ({})) });
  await outage.struck();
  const again = await holder.call('storm', { asks: [{}] });
  errors.push(...first.errors, ...again.errors);
  const [obtained] = first.tokens;
  const answered = stage.refreshCalls().length;
  // Another process has no token; it must wait or fail, and never send what is spent.
  const meanwhile = other.call('storm', { asks: [{}] });
  await holder.call('storm', { asks: [{ forceRefresh: true }] });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const spentMeanwhile = stage.refreshCalls().length - answered;
  const notSavedEvents = (await holder.call('counts', {}))['save token-not-saved'] ?? 0;
  await outage.end(holder);
  const newest = stage.newestIssued().get(USER);
  const reader = stage.proofBackend.open(stage.location);
  const stored = async () => {
    const cache = await reader.loadToken({ fresh: true });
    const account = cache?.getAccount({ username: USER });
    const token = account && cache?.getRefreshToken({ homeAccountId: account.homeAccountId });
    return token && sha256(token.secret);
  };
  let saved = true;
  await until('the save after the recovery', async () => (await stored()) === newest, 60_000).catch(() => {
    saved = false;
  });
  const late = await meanwhile;
  // Its client may still be waiting before it connects again, and say so: an outage is no loss. It asks as a program would.
  let after = await other.call('storm', { asks: [{}] });
  const served = async () => {
    if (after.got === 0) after = await other.call('storm', { asks: [{}] });
    return after.got > 0;
  };
  await until('a token for the other process', served, 60_000).catch(() => {});
  errors.push(...after.errors);
  if (after.tokens[0] !== obtained) errors.push('the other process did not find the token that was saved late');
  await reader.close();
  return {
    served: first.got + again.got,
    spentMeanwhile,
    notSavedEvents,
    saved: saved && after.got === 1,
    toldToSignIn: [...errors, ...late.errors].filter((code) => /INTERACTION_REQUIRED|NOT_AUTHENTICATED/.test(code)).length,
    errors: [...errors, ...late.errors.map((code) => `meanwhile, another process: ${code}`)],
  };
}

/** Root is not stopped by permissions: its folder and its processes are given to nobody. */
async function startUnprivileged(stage: Stage, folder: string): Promise<Worker> {
  const root = process.getuid?.() === 0;
  if (root) {
    await chown(folder, NOBODY, NOBODY);
    for (const name of await readdir(folder)) await chown(join(folder, name), NOBODY, NOBODY);
    await chmod(folder, 0o700);
  }
  return await startWith(stage, startWorker(true, root ? { uid: NOBODY, gid: NOBODY } : {}), {});
}

async function startWith(stage: Stage, worker: Worker, options: { readonly location?: string }): Promise<Worker> {
  stage.workers.push(worker);
  // Who insists on a refresh meanwhile waits for the lease that is kept: not for long here.
  await worker.call('open', { ...stage.openOptions, ...options, lease: { waitMs: 2_000 } });
  await worker.call('storm', { asks: [{}] });
  return worker;
}
