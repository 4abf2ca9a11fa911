import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy before a server, whose cable can be pulled. */
export class CuttableProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #port = 0;
  #mute = false;

  private constructor(target: string) {
    const [host = '', port] = target.split(':');
    this.#target = { host, port: Number(port) };
  }

  static async before(target: string): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(target);
    await proxy.mend();
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Resets all connections and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Loses everything that is sent, in both directions, and says nothing. */
  mute(): void {
    this.#mute = true;
  }

  /** Lets new connections through. Those that were mute stay so, as after a lost entry in a router's table. */
  async mend(): Promise<void> {
    this.#mute = false;
    if (this.#server) return;
    const server = createServer((socket) => this.#join(socket)).listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as { readonly port: number }).port;
  }

  #join(near: Socket): void {
    const far = connect(this.#target);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    let lost = this.#mute;
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (data) => {
        lost ||= this.#mute;
        if (!lost) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
