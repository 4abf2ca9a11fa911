import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendNamed } from './backends.ts';
import { Stage } from './harness/stage.ts';
import { signInAll } from './many-records.ts';

/** Refreshes per second of a program that reads, calls and writes as durably, and locks and compares nothing. */
export async function unlockedRefreshes(options: {
  readonly records: number;
  readonly processes: number;
  readonly inFlight: number;
}): Promise<{ readonly at100ms: number; readonly storeBound: number }> {
  await using stage = await Stage.open(backendNamed('filesystem'), { refreshTokens: 'one-time-revoking' });
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-unlocked-'));
  const users = Array.from({ length: options.records }, (_, index) => `user${index}@contoso.example`);
  await signInAll(stage, users, { progress: () => {} }, (username) => username);
  const script = fileURLToPath(new URL('./children/unlocked.ts', import.meta.url));
  const children = Array.from({ length: options.processes }, () => fork(script, { execArgv: [] }));
  try {
    const keys = (index: number) => users.filter((_, user) => user % options.processes === index);
    await Promise.all(
      children.map((child, index) =>
        told(child, { copyFrom: stage.location, folder, authority: stage.authority.accountOptions, keys: keys(index) }),
      ),
    );
    const rate = async () => {
      const startedAt = performance.now();
      await Promise.all(children.map((child) => told(child, { inFlight: options.inFlight })));
      return (options.records * 1000) / (performance.now() - startedAt);
    };
    const fault = stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 100 });
    const at100ms = await rate();
    fault.remove();
    return { at100ms, storeBound: await rate() };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function told(child: ChildProcess, message: object): Promise<void> {
  child.send(message);
  const [answer] = (await once(child, 'message')) as [{ readonly error?: string }];
  if (answer.error !== undefined) throw new Error(answer.error);
}
