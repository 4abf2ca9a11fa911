import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to one connection: `reset` loses a request before the server sees it, `lose-answer` after the server has done
 * the work, `truncate-answer` passes half of the answer, `half-open` swallows everything from an answer on and closes nothing.
 */
export type Fault = 'reset' | 'lose-answer' | 'truncate-answer' | 'half-open';

/** A TCP proxy in this process, in front of one server; knows nothing of protocols. */
export class TcpFaultProxy {
  readonly port: number;
  /** Added to every piece of data, in both directions. */
  latencyMs = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #mute = false;
  #armed: { readonly fault: Fault; left: number } | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { readonly port: number }).port;
  }

  static async before(port: number): Promise<TcpFaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TcpFaultProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect(port, '127.0.0.1')));
    return proxy;
  }

  /** Strikes once: at the `nth` request or answer from now on, of whatever connection. */
  arm(fault: Fault, nth: number): void {
    this.#armed = { fault, left: nth };
  }

  /** Whether the fault has struck; takes it away if it has not. */
  disarm(): boolean {
    const struck = this.#armed === undefined;
    this.#armed = undefined;
    return struck;
  }

  /** Resets all connections and refuses new ones, until it is mended. */
  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.resetAndDestroy();
    await closed;
  }

  async mend(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Swallows everything, on the connections that there are and on new ones, and closes none of them. */
  mute(): void {
    this.#mute = true;
  }

  /** Serves again; but a connection on which something was swallowed stays silent, as when a router forgot it. */
  unmute(): void {
    this.#mute = false;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  #join(client: Socket, upstream: Socket): void {
    const both = [client, upstream];
    const end = () => {
      for (const socket of both) socket.destroyed || socket.resetAndDestroy();
    };
    let silent = false;
    for (const socket of both) {
      this.#open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#open.delete(socket);
        // Who waits behind a silent line is not told that the other end went away.
        if (!silent) for (const other of both) other.destroy();
      });
    }
    client.on('data', (request: Buffer) => {
      silent ||= this.#mute;
      if (silent) return;
      if (this.#strikes('request') === 'reset') return end();
      this.#pass(upstream, request);
    });
    upstream.on('data', (answer: Buffer) => {
      silent ||= this.#mute;
      if (silent) return;
      const fault = this.#strikes('answer');
      if (fault === undefined) return this.#pass(client, answer);
      if (fault === 'half-open') silent = true;
      else if (fault === 'truncate-answer') client.write(answer.subarray(0, answer.length >> 1), end);
      else end();
    });
  }

  #strikes(on: 'request' | 'answer'): Fault | undefined {
    const armed = this.#armed;
    if (!armed || (armed.fault === 'reset') !== (on === 'request')) return undefined;
    armed.left -= 1;
    if (armed.left > 0) return undefined;
    this.#armed = undefined;
    return armed.fault;
  }

  #pass(to: Socket, data: Buffer): void {
    if (this.latencyMs === 0) to.write(data);
    else setTimeout(() => to.destroyed || to.write(data), this.latencyMs);
  }
}
