import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A real process running a script of a test, on the build. */
export class Child {
  readonly process: ChildProcess;
  readonly #heard: unknown[] = [];
  readonly #waiting: ((message: unknown) => void)[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;

  constructor(script: URL, args: readonly unknown[] = [], env: Readonly<Record<string, string>> = {}) {
    this.process = fork(fileURLToPath(script), [JSON.stringify(args)], {
      execArgv: [],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.on('message', (message) => {
      const waiter = this.#waiting.shift();
      if (waiter) waiter(message);
      else this.#heard.push(message);
    });
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  /** Starts a script and waits for its first message. */
  static async started(...args: ConstructorParameters<typeof Child>): Promise<Child> {
    const child = new Child(...args);
    await child.hear();
    return child;
  }

  say(message: string | object): void {
    if (this.process.connected) this.process.send(message);
  }

  /** The next message; rejects when the process ends without one. */
  hear<T>(): Promise<T> {
    if (this.#heard.length > 0) return Promise.resolve(this.#heard.shift() as T);
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve as (message: unknown) => void);
      void this.exited.then(({ code, signal }) => reject(new Error(`the process ended: ${code ?? signal}`)));
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.exited;
  }
}
