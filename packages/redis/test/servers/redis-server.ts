import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const running = new Set<ChildProcess>();
// Whatever happens to the test: no server outlives it.
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

export interface ServerOptions {
  /** Lines of redis.conf as arguments: `['--requirepass', 'x']`. */
  readonly args?: readonly string[];
  readonly port?: number;
  readonly sentinel?: boolean;
  /** How the server is asked whether it answers: arguments of redis-cli. */
  readonly cli?: readonly string[];
}

/** One redis-server process on a free loopback port, in a folder of its own. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: ServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: ServerOptions = {}): Promise<RedisServer> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'tokenry-redis-')));
    const server = new RedisServer(options.port ?? (await freePort()), folder, options);
    await server.resume();
    return server;
  }

  /** Starts the process again, on the same port and data. */
  async resume(): Promise<void> {
    const { args = [], sentinel = false } = this.#options;
    const own = sentinel
      ? args
      : ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', '', ...args];
    const server = spawn('redis-server', own, { stdio: 'ignore' });
    running.add(server);
    server.once('exit', () => running.delete(server));
    this.#process = server;
    await eventually(`redis-server on port ${this.port} answers`, async () => {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}: ${own.join(' ')}`);
      return /PONG|NOAUTH|LOADING|WRONGPASS/.test(await this.cli('ping').catch(() => '')) || undefined;
    });
  }

  /** What redis-cli prints. */
  async cli(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run('redis-cli', ['-p', String(this.port), ...(this.#options.cli ?? []), ...args]);
    return (stdout + stderr).trimEnd();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port that was free a moment ago; below 55536, because a cluster node takes the port 10000 above as well. */
export async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { readonly port: number };
    probe.close();
    await once(probe, 'close');
    const chosen = port > 55_000 ? 20_000 + Math.floor(Math.random() * 12_000) : port;
    if (chosen === port || (await isFree(chosen))) return chosen;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const outcome = Promise.race([once(probe, 'listening').then(() => true), once(probe, 'error').then(() => false)]);
  probe.listen(port, '127.0.0.1');
  const free = await outcome;
  probe.close();
  return free;
}

/** Polls until `probe` gives a value; fails after `timeoutMs`. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > giveUpAt) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
