import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendNamed } from './backends.ts';
import { Stage } from './harness/stage.ts';
import { signInAll } from './many-records.ts';

/** Processes that read, call and write as durably as ours, and lock and compare nothing. */
export class UnlockedPrograms implements AsyncDisposable {
  readonly stage: Stage;
  readonly #folder: string;
  readonly #children: readonly ChildProcess[];

  private constructor(parts: { readonly stage: Stage; readonly folder: string; readonly children: readonly ChildProcess[] }) {
    this.stage = parts.stage;
    this.#folder = parts.folder;
    this.#children = parts.children;
  }

  static async start(users: readonly string[], processes: number): Promise<UnlockedPrograms> {
    const stage = await Stage.open(backendNamed('filesystem'), { refreshTokens: 'one-time-revoking' });
    const folder = await mkdtemp(join(tmpdir(), 'tokenry-unlocked-'));
    await signInAll(stage, users, { progress: () => {} }, (username) => username);
    const script = fileURLToPath(new URL('./children/unlocked.ts', import.meta.url));
    const children = Array.from({ length: processes }, () => fork(script, { execArgv: [] }));
    const keys = (index: number) => users.filter((_, user) => user % processes === index);
    const authority = stage.authority.accountOptions;
    await Promise.all(
      children.map((child, index) => told(child, { copyFrom: stage.location, folder, authority, keys: keys(index) })),
    );
    return new UnlockedPrograms({ stage, folder, children });
  }

  /** Refreshes every record once, `inFlight` at a time in each process; resolves to the processor time of each. */
  refreshAll(inFlight: number): Promise<readonly number[]> {
    return Promise.all(this.#children.map((child) => told(child, { inFlight })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.stage[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function told(child: ChildProcess, message: object): Promise<number> {
  child.send(message);
  const [answer] = (await once(child, 'message')) as [{ readonly error?: string; readonly cpuMs?: number }];
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer.cpuMs ?? 0;
}
