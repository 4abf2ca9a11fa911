import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Another process that answers orders: one of the scripts in `children/`. */
export class Script {
  readonly process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited: Promise<unknown>;
  #calls = 0;

  constructor(name: string, options: Pick<ForkOptions, 'uid' | 'gid' | 'env'> = {}) {
    const path = fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url));
    this.process = fork(path, { ...options, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.process.on('message', (message) => this.#answered(message as Answer));
    this.#exited = once(this.process, 'exit').then(([code, signal]) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended: ${code ?? signal}`));
      this.#waiting.clear();
    });
  }

  call(task: string, args: object): Promise<unknown> {
    const id = ++this.#calls;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    // A process that has ended hears nothing: that is an answer, too.
    this.process.send({ id, task, args }, (error) => {
      if (error) this.#answered({ id, error });
    });
    return answer.promise;
  }

  /** Resolves when the process is gone. */
  async gone(): Promise<void> {
    await this.#exited;
  }

  /** Ends it, without ceremony. */
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

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code?: string };
}
