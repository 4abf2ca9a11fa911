import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { neededServer } from '../../../../test-support/needed-server.ts';

export const motoProgram = neededServer({
  name: 'moto_server',
  howToGet: 'pip install "moto[server,s3,secretsmanager]==5.*"',
  works: () => (process.env.PATH ?? '').split(delimiter).some((folder) => isProgram(join(folder, 'moto_server'))),
});

export const motoIsHere = (): boolean => motoProgram.isHere();

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** An emulator of AWS in a process of its own; its put is check-then-act, so tests talk to it through a `Gate`. */
export class MotoServer {
  readonly port: number;
  readonly #process: ChildProcess;

  constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#process = child;
    process.once('exit', this.#kill); // also when a test run is cut off
  }

  readonly #kill = (): void => {
    const { pid, exitCode, signalCode } = this.#process;
    // The whole group: the program on PATH may be a script that started the real one.
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
  };

  static async start(): Promise<MotoServer> {
    const port = await freePort();
    const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore', detached: true });
    const server = new MotoServer(port, child);
    const giveUpAt = performance.now() + 30_000;
    while (!(await answers(port))) {
      if (performance.now() > giveUpAt || child.exitCode !== null) throw new Error('moto_server did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return server;
  }

  /** From now on only users with a key and a policy may do anything; `false`: everybody everything again. */
  async enforcePermissions(enforced: boolean): Promise<void> {
    await this.#tell('reset-auth', enforced ? '0' : 'Infinity');
  }

  /** Forgets everything that is stored. */
  async reset(): Promise<void> {
    await this.#tell('reset');
  }

  async #tell(what: string, body = ''): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/moto-api/${what}`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`moto_server did not take it: ${answer.status}`);
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#kill();
    await exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answer = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return answer;
}
