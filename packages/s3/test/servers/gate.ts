import { once } from 'node:events';
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface GateRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
export interface GateAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: string | Buffer;
}
/**
 * What happens to a request instead of simply passing it on: another answer, `'lose-answer'` (the store does it, nobody
 * hears of it), `'truncate-answer'`, `'stall-answer'` (silence in the middle of it), `'reset'` (the store never sees it),
 * `'hang'`.
 */
export type Interception = GateAnswer | 'lose-answer' | 'truncate-answer' | 'stall-answer' | 'reset' | 'hang' | undefined;

/**
 * A proxy in front of an emulator: passes on one request at a time (the emulator compares and writes in two steps), and
 * breaks the line on demand.
 */
export class Gate {
  readonly port: number;
  /** Asked for each request. */
  intercept: (request: GateRequest) => Interception | Promise<Interception> = () => undefined;
  /** Everything that came, newest last; cleared by whoever counts. */
  readonly seen: GateRequest[] = [];
  readonly #server;
  readonly #target: number | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #last: Promise<unknown> = Promise.resolve();

  constructor(server: ReturnType<typeof createServer>, port: number, target: number | undefined) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on('request', (incoming, response) => {
      this.#serve(incoming, response).catch(() => response.destroy());
    });
  }

  /** Without a target every request must be intercepted. */
  static async open(target?: number): Promise<Gate> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Gate(server, address.port, target);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Passes everything, and forgets what it has seen. */
  rest(): void {
    this.intercept = () => undefined;
    this.seen.length = 0;
  }

  /** Nobody listens any more, and every connection ends; resolves to the way back. */
  async shut(): Promise<() => Promise<void>> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    return async () => {
      this.#server.listen(this.port, '127.0.0.1');
      await once(this.#server, 'listening');
    };
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.shut();
    this.#agent.destroy();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    const seen = { method, url, headers, body: await buffer(incoming) };
    this.seen.push(seen);
    const interception = await this.intercept(seen);
    if (interception === 'hang') return;
    if (interception === 'reset') return void incoming.socket.destroy();
    if (typeof interception === 'object') return send(response, interception);
    const answer = await this.#inTurn(() => this.#forward(seen));
    if (interception === 'lose-answer') return void incoming.socket.destroy();
    if (interception === 'truncate-answer') return half(response, answer, () => response.destroy());
    if (interception === 'stall-answer') return half(response, answer);
    send(response, answer);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn;
    return turn;
  }

  async #forward({ method, url, headers, body }: GateRequest): Promise<GateAnswer> {
    if (this.#target === undefined) return { status: 500, body: 'nobody is behind this gate' };
    const { 'transfer-encoding': _chunked, expect: _expect, ...kept } = headers;
    const outgoing = request({
      host: '127.0.0.1',
      port: this.#target,
      agent: this.#agent,
      method,
      path: url,
      headers: { ...kept, 'content-length': String(body.byteLength) },
    });
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 500, headers: answer.headers, body: await buffer(answer) };
  }
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: GateAnswer): void {
  const { 'transfer-encoding': _chunked, connection: _connection, ...kept } = headers;
  const isEmpty = status === 304 || status === 204;
  for (const [name, value] of Object.entries(kept)) if (value !== undefined) response.setHeader(name, value);
  if (!isEmpty && kept['content-length'] === undefined) response.setHeader('content-length', Buffer.byteLength(body));
  response.statusCode = status;
  response.end(isEmpty ? undefined : body);
}

function half(response: ServerResponse, { status, headers = {}, body = '' }: GateAnswer, then?: () => void): void {
  const whole = Buffer.from(body);
  const { 'transfer-encoding': _chunked, ...kept } = headers;
  response.writeHead(status, { ...kept, 'content-length': whole.byteLength });
  response.write(whole.subarray(0, whole.byteLength >> 1), then);
}
