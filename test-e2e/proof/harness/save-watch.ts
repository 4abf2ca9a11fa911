import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { StoreNetwork } from '../backends.ts';

/** Where in the save of a record something happens. */
export interface SaveMoment {
  /** Which of the requests that save it. */
  readonly request: number;
  /** Before the store has the request, or when it has done it and answers. */
  readonly at: 'request' | 'answer';
}

interface WatchOptions {
  readonly network: StoreNetwork;
  readonly moment: SaveMoment;
  readonly strike: () => void;
}

/**
 * A proxy between one process and its store, which stands in the way at one moment of a save: calls `strike` there, and passes
 * on neither that request, or answer, nor anything after it.
 */
export class SaveWatch {
  readonly port: number;
  readonly #server: Server;
  readonly #network: StoreNetwork;
  readonly #moment: SaveMoment;
  readonly #strike: () => void;
  readonly #open = new Set<Socket>();
  #request = 0;
  #answering: Socket | undefined;
  #struck = false;

  private constructor(server: Server, parts: WatchOptions) {
    this.port = (server.address() as { readonly port: number }).port;
    this.#server = server;
    this.#network = parts.network;
    this.#moment = parts.moment;
    this.#strike = parts.strike;
  }

  static async before(location: string, parts: WatchOptions): Promise<SaveWatch> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const watch = new SaveWatch(server, parts);
    server.on('connection', (client) => watch.#join(client, connect(parts.network.portOf(location), '127.0.0.1')));
    return watch;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #join(client: Socket, upstream: Socket): void {
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#open.delete(socket);
        other.destroy();
      });
    }
    let tail = '';
    client.on('data', (data: Buffer) => {
      const { holds } = this.#network.saveRequests[this.#request] ?? {};
      const seen = tail + data.toString('latin1');
      tail = seen.slice(-64);
      if (holds !== undefined && this.#answering === undefined && seen.includes(holds)) {
        if (this.#request === this.#moment.request && this.#moment.at === 'request') this.#stop();
        else if (this.#request === this.#moment.request) this.#answering = upstream;
        this.#request += 1;
        tail = '';
      }
      if (!this.#struck) upstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      if (this.#answering === upstream && !this.#struck && this.#network.beginsAnswer(data)) this.#stop();
      if (!this.#struck) client.write(data);
    });
  }

  #stop(): void {
    this.#struck = true;
    this.#strike();
    for (const socket of this.#open) socket.destroy();
  }
}
