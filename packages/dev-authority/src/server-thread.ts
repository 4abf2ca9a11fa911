import { extname } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { makeLoopbackCertificates } from './certificates.js';
import type { Command, Ready, ServerData, ServerEvent } from './messages.js';
import type { Settings } from './options.js';

/**
 * Runs ahead of the worker's own modules when this package runs from its TypeScript sources (in its own tests): Node
 * strips the types, but looks for the `.js` files that the imports name.
 */
const RESOLVE_SOURCES = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    const isOwn = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
    return next(isOwn ? specifier.replace(/\\.js$/, '.ts') : specifier, context);
  },
});`)}`;

/**
 * The server in a thread of its own, with its own `Date`: it answers while the caller's thread is busy or blocked, and its
 * clock can be moved. Both directions are synchronous for the caller: see {@link ServerThread.tell} and {@link ServerThread.drain}.
 */
export class ServerThread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly ca: string;
  readonly tcpPort: number;

  private constructor(worker: Worker, port: MessagePort, started: { readonly ca: string; readonly tcpPort: number }) {
    this.#worker = worker;
    this.#port = port;
    this.ca = started.ca;
    this.tcpPort = started.tcpPort;
  }

  /** @throws when the port is taken */
  static async start(settings: Settings): Promise<ServerThread> {
    const { ca, cert, key } = await makeLoopbackCertificates();
    const { port1, port2 } = new MessageChannel();
    const extension = extname(new URL(import.meta.url).pathname);
    const entry = new URL(`./server/worker${extension}`, import.meta.url);
    const data: ServerData = { settings, tls: { key, cert }, port: port2 };
    const execArgv = extension === '.ts' ? [...process.execArgv, '--import', RESOLVE_SOURCES] : process.execArgv;
    const worker = new Worker(entry, { workerData: data, transferList: [port2], execArgv, name: 'tokenry-dev-authority' });
    const { port } = await new Promise<Ready>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    // Neither holds the process: an authority that nobody closed ends with it.
    worker.unref();
    port1.unref();
    return new ServerThread(worker, port1, { ca, tcpPort: port });
  }

  /** In force for every request that is sent after this returns, by whichever process. */
  tell(command: Command): void {
    this.#port.postMessage(command);
  }

  /** Everything that happened up to now: the server posts an event before it sends the answer it belongs to. */
  *drain(): Iterable<ServerEvent> {
    for (let received = receiveMessageOnPort(this.#port); received; received = receiveMessageOnPort(this.#port))
      yield received.message as ServerEvent;
  }

  /** Keeps the process alive as long as the server runs. */
  ref(): void {
    this.#worker.ref();
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
