import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy before a server, whose cable can be pulled. */
export class CuttableProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #port = 0;
  #mute = false;
  #answersUntilLoss = 0;

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

  /** Runs `call` and resets its connection in the place of the answer number `nth`; before and after that all is well. */
  async losingAnswer<T>(nth: number, call: () => Promise<T>): Promise<T> {
    this.#answersUntilLoss = nth;
    const result = await call();
    if (this.#answersUntilLoss > 0) throw new Error('nothing was lost');
    return result;
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
      from.on('data', (data: Buffer) => {
        lost ||= this.#mute;
        if (from === far && this.#isToBeLost(data)) for (const socket of pair) socket.destroy();
        else if (!lost) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  #isToBeLost(data: Buffer): boolean {
    if (this.#answersUntilLoss === 0 || !beginsAnswer(data)) return false;
    this.#answersUntilLoss -= 1;
    return this.#answersUntilLoss === 0;
  }
}

/** Whether these HTTP/2 frames (RFC 9113, 4.1) hold the first HEADERS of an answer: those that do not end its stream. */
function beginsAnswer(data: Buffer): boolean {
  for (let at = 0; at + 9 <= data.length; at += 9 + data.readUIntBE(at, 3)) {
    const [type, flags] = [data[at + 3], data[at + 4] ?? 0];
    if (type === 1 && (flags & 1) === 0) return true;
  }
  return false;
}
