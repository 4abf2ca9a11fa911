import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
  readonly errors: readonly string[];
}

/** The store stops taking writes between a token answer and its save. */
export const storeDown: Proof = async (settings) => {
  const findings = new Findings('store down during a refresh', settings);
  if (!settings.backend.folder) return findings.skipped('the store is no folder: its own tests take it away');
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
    .requireEqual(`${name}: saved after recovery`, played.saved ? 1 : 0, 1);
  for (const error of played.errors) findings.detail(`${name}: ${error}`);
}

async function withPermissionRemoved(settings: ProofSettings): Promise<Played> {
  settings.progress('permission removed');
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  return await play(stage, stage.location, 'lock-folder');
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
    return await play(stage, mount, 'fill-folder');
  } finally {
    await run('umount', [mount]);
    await rm(mount, { recursive: true, force: true });
  }
}

async function play(stage: Stage, folder: string, action: 'lock-folder' | 'fill-folder'): Promise<Played> {
  await stage.signIn(USER);
  await stage.backend.close();
  const [holder, other] = await Promise.all([startUnprivileged(stage, folder), startUnprivileged(stage, folder)]);
  // Both know the record; its tokens are over.
  await stage.advance(2 * HOUR_MS);
  const errors: string[] = [];
  await holder.call('atStep', { channel: 'tokenry:refresh-step', step: 'answered', action });
  const first = await holder.call('storm', { asks: Array.from({ length: 25 }, () => ({})) });
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
  await holder.call('mendFolder', {});
  const newest = stage.newestIssued().get(USER);
  const [reader] = [stage.proofBackend.open(folder)];
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
  const after = await other.call('storm', { asks: [{}] });
  errors.push(...after.errors);
  if (after.tokens[0] !== obtained) errors.push('the other process did not find the token that was saved late');
  await reader.close();
  return {
    served: first.got + again.got,
    spentMeanwhile,
    notSavedEvents,
    saved: saved && after.got === 1,
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
  const worker = startWorker(true, root ? { uid: NOBODY, gid: NOBODY } : {});
  stage.workers.push(worker);
  // Who insists on a refresh meanwhile waits for the lease that is kept: not for long here.
  await worker.call('open', { ...stage.openOptions, lease: { waitMs: 2_000 } });
  await worker.call('storm', { asks: [{}] });
  return worker;
}
