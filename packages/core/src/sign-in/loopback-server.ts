import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CapabilityError } from '../errors.js';

/** A redirect that arrived, and the browser that waits for a page. */
export interface Arrival {
  readonly parameters: URLSearchParams;
  answer(html: string, headers: Readonly<Record<string, string>>): Promise<void>;
}

/** Larger than any redirect with a form post. */
const MAX_BODY = 64 * 1_024;

/**
 * Listens on 127.0.0.1 for the one redirect whose state fits. Anything else (a favicon, another path, another host name,
 * a redirect of an older attempt) gets a short refusal and does not end the wait.
 */
export class LoopbackServer {
  readonly #server: Server;
  readonly #path: string;
  #hosts: ReadonlySet<string> = new Set();
  #state: string | undefined;
  #arrived: ((arrival: Arrival) => void) | undefined;

  private constructor(path: string) {
    this.#path = path;
    // Importing node:http costs 60 ms of start-up, which a program that only reads a stored token must not pay.
    const { createServer } = process.getBuiltinModule('node:http');
    this.#server = createServer((request, response) => {
      void this.#handle(request, response).catch(() => response.destroy());
    });
  }

  /** Starts listening; port 0 takes a free one. @throws CapabilityError when this machine does not give the port. */
  static async open({ port, path }: { readonly port: number; readonly path: string }): Promise<LoopbackServer> {
    const opened = new LoopbackServer(path);
    await new Promise<void>((resolve, reject) => {
      opened.#server.once('error', (error) => reject(notListening(port, error)));
      opened.#server.listen({ port, host: '127.0.0.1' }, resolve);
    });
    // A page of another site that points its own name at 127.0.0.1 is not talking to us.
    opened.#hosts = new Set([
      `localhost:${opened.port}`,
      `127.0.0.1:${opened.port}`,
      ...(opened.port === 80 ? ['localhost', '127.0.0.1'] : []),
    ]);
    return opened;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves with the redirect that carries `state`. */
  arrival(state: string): Promise<Arrival> {
    this.#state = state;
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** Stops listening and drops every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#hosts.has(request.headers.host?.toLowerCase() ?? '')) return refuse(response, 421);
    const url = URL.parse(request.url ?? '', 'http://localhost');
    if (url?.pathname !== this.#path) return refuse(response, 404);
    const parameters = await parametersOf(request, url);
    if (parameters === undefined) return refuse(response, 405);
    const arrived = this.#arrived;
    if (!arrived || parameters.get('state') !== this.#state) return refuse(response, 400);
    this.#arrived = undefined;
    arrived({ parameters, answer: (html, headers) => answer(response, html, headers) });
  }
}

function notListening(port: number, cause: NodeJS.ErrnoException): CapabilityError {
  const reason =
    cause.code === 'EADDRINUSE'
      ? 'Another program, or another sign-in, listens there.'
      : 'This user may not listen there, or the system has reserved the port.';
  return new CapabilityError(
    `The loopback sign-in cannot listen on port ${port} of this machine (${cause.code ?? cause.name}). ${reason} ` +
      'Choose another port that is registered, or none: a free one is taken then.',
    { cause },
  );
}

async function parametersOf(request: IncomingMessage, url: URL): Promise<URLSearchParams | undefined> {
  if (request.method === 'GET') return url.searchParams;
  if (request.method !== 'POST' || !request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
    return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' });
  response.end('This address waits for the end of a sign-in. There is nothing else here.\n');
}

function answer(response: ServerResponse, html: string, headers: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve) => {
    // A browser that went away does not hold up the sign-in.
    response.once('close', resolve);
    if (response.destroyed) return resolve();
    response.writeHead(200, headers);
    response.end(html);
  });
}
