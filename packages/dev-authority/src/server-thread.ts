import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import type { Command, ServerEvent } from './messages.js';
import type { Settings } from './options.js';
import { ask, releaseThread, takeThread } from './thread-pool.js';

// Taken while the module loads: tests replace `Date` by a fake one later.
const realNow = Date.now.bind(Date);

/** Where a server listens, and how to trust it. */
interface Started {
  readonly ca: string;
  readonly tcpPort: number;
}

/**
 * The server in a thread of its own, with its own `Date`: it answers while the caller's thread is busy or blocked, and its
 * clock can be moved. Both directions are synchronous for the caller: see {@link ServerThread.tell} and {@link ServerThread.drain}.
 */
export class ServerThread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly ca: string;
  readonly tcpPort: number;

  private constructor(worker: Worker, port: MessagePort, { ca, tcpPort }: Started) {
    this.#worker = worker;
    this.#port = port;
    this.ca = ca;
    this.tcpPort = tcpPort;
  }

  /** @throws when the port is taken */
  static async start(settings: Settings): Promise<ServerThread> {
    const worker = takeThread();
    // Loaded while the thread loads too, and only by those who start an authority.
    const { makeLoopbackCertificates } = await import('./certificates.js');
    const { ca, cert, key } = await makeLoopbackCertificates(realNow());
    const { port1, port2 } = new MessageChannel();
    const data = { settings, tls: { key, cert }, port: port2 };
    const reply = await ask(worker, { type: 'start', data }, [port2]);
    port1.unref();
    if (reply.type === 'started') return new ServerThread(worker, port1, { ca, tcpPort: reply.port });
    port1.close();
    await releaseThread(worker);
    throw new Error(`The dev authority could not start: ${reply.type === 'failed' ? reply.message : 'it was stopped'}.`);
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

  /** Frees the port. `lastLook` can still {@link ServerThread.drain} what happened up to the end. */
  async stop(lastLook: () => void): Promise<void> {
    await ask(this.#worker, { type: 'stop' });
    lastLook();
    this.#port.close();
    await releaseThread(this.#worker);
  }
}
