import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createTasks, type TaskArguments, type TaskName, type TaskResult } from '../children/tasks.ts';

/** Somebody who does tasks: another process, or, for stores that live in one, this one. */
export interface Worker {
  readonly process: ChildProcess | undefined;
  call<Name extends TaskName>(task: Name, args: TaskArguments<Name>): Promise<TaskResult<Name>>;
  /** Resolves when the process is gone. */
  gone(): Promise<void>;
  /** Ends it, without ceremony. */
  end(): Promise<void>;
}

export function startWorker(ownProcess: boolean, options: Pick<ForkOptions, 'uid' | 'gid'> = {}): Worker {
  return ownProcess ? new ProcessWorker(options) : new LocalWorker();
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code?: string };
}

class ProcessWorker implements Worker {
  readonly process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited: Promise<unknown>;
  #calls = 0;

  constructor(options: Pick<ForkOptions, 'uid' | 'gid'>) {
    const script = fileURLToPath(new URL('../children/worker.ts', import.meta.url));
    this.process = fork(script, { ...options, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.process.on('message', (message) => this.#answered(message as Answer));
    this.#exited = once(this.process, 'exit').then(([code, signal]) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended: ${code ?? signal}`));
      this.#waiting.clear();
    });
  }

  call<Name extends TaskName>(task: Name, args: TaskArguments<Name>): Promise<TaskResult<Name>> {
    const id = ++this.#calls;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.process.send({ id, task, args });
    return answer.promise as Promise<TaskResult<Name>>;
  }

  async gone(): Promise<void> {
    await this.#exited;
  }

  async end(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.#exited;
  }

  #answered({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(Object.assign(new Error(error.message), { code: error.code }));
    else waiting?.resolve(result);
  }
}

class LocalWorker implements Worker {
  readonly process = undefined;
  readonly #tasks = createTasks();

  call<Name extends TaskName>(task: Name, args: TaskArguments<Name>): Promise<TaskResult<Name>> {
    const run = this.#tasks[task] as (args: TaskArguments<Name>) => Promise<TaskResult<Name>>;
    return run(args);
  }
  async gone(): Promise<void> {}
  async end(): Promise<void> {
    await this.#tasks.close({});
  }
}
