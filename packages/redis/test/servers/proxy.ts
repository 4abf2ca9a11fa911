import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of a server that can lose answers, reset connections and stand still. */
export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Called with what the server answers; `lose` closes the connection instead of passing it on. */
  onAnswer: (answer: Buffer) => 'pass' | 'lose' | 'hold' = () => 'pass';

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { readonly port: number }).port;
  }

  static async before(port: number): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect(port, '127.0.0.1')));
    return proxy;
  }

  #join(client: Socket, upstream: Socket): void {
    const both = [client, upstream];
    for (const socket of both) {
      this.#open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#open.delete(socket);
        for (const other of both) other.destroy();
      });
    }
    client.on('data', (request) => upstream.write(request));
    upstream.on('data', (answer: Buffer) => {
      const fate = this.onAnswer(answer);
      if (fate === 'pass') client.write(answer);
      if (fate === 'lose') client.resetAndDestroy();
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }
}
