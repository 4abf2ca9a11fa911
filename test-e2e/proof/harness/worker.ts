import type { ChildProcess, ForkOptions } from 'node:child_process';
import { createTasks, type TaskArguments, type TaskName, type TaskResult } from '../children/tasks.ts';
import { Script } from './script.ts';

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
  return ownProcess ? (new Script('worker', options) as Worker) : new LocalWorker();
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
