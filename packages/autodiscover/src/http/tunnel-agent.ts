import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { BoundedAgent } from './bounded-agent.js';
import { type ProxyChoice, proxyHeaders } from './proxies.js';
import { TransportFailure } from './transport-failure.js';

export interface TunnelOptions {
  readonly proxyFor: ProxyChoice;
  /** Finds and checks the address that the proxy is to connect to; absent: the proxy looks the name up itself. */
  readonly pinned?: LookupFunction | undefined;
  readonly connectTimeoutMs: number;
}
type Connected = (error: Error | null, socket: Duplex) => void;

/** An agent whose TLS connections run through a tunnel (CONNECT) where a proxy is to be used: it sees names, never content. */
export class TunnelAgent extends BoundedAgent {
  readonly #tunnel: TunnelOptions;
  constructor(options: https.AgentOptions, tunnel: TunnelOptions) {
    super(options);
    this.#tunnel = tunnel;
  }

  /** @internal Called by node:https for each new connection. */
  override createConnection(options: https.RequestOptions, connected?: Connected): Duplex | null | undefined {
    const [hostname, port] = [String(options.host), Number(options.port)];
    const proxy = this.#tunnel.proxyFor({ secure: true, hostname, port });
    if (!proxy || !connected) return super.createConnection(options, connected);
    this.#open(proxy, hostname, port).then(
      (socket) => connected(null, super.createConnection({ ...options, socket } as https.RequestOptions) as Duplex),
      (error: Error) => connected(error, undefined as never),
    );
    return undefined;
  }

  async #open(proxy: URL, hostname: string, port: number): Promise<Duplex> {
    const { pinned, connectTimeoutMs } = this.#tunnel;
    const address = pinned ? await lookedUp(pinned, hostname) : hostname;
    const target = `${address.includes(':') ? `[${address}]` : address}:${port}`;
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const request = (proxy.protocol === 'https:' ? https : http).request({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      agent: false,
      timeout: connectTimeoutMs,
    });
    // Whoever waits for the tunnel has a timer of its own; one that nobody waits for any more keeps no process alive.
    request.once('socket', (socket) => socket.unref());
    request.once('connect', ({ statusCode }, socket, head) => {
      socket.ref();
      socket.setTimeout(0);
      if (statusCode === 200 && head.length === 0) return resolve(socket);
      socket.destroy();
      reject(new TransportFailure('unreachable', `the proxy opened no tunnel: HTTP ${statusCode}`));
    });
    request.once('response', (message) => {
      message.destroy();
      reject(new TransportFailure('unreachable', `the proxy opened no tunnel: HTTP ${message.statusCode}`));
    });
    request.once('timeout', () => request.destroy(new TransportFailure('timeout', 'the proxy opened no tunnel in time')));
    request.once('error', (error: NodeJS.ErrnoException) =>
      reject(error instanceof TransportFailure ? error : new TransportFailure('unreachable', `proxy: ${error.code ?? 'failed'}`)),
    );
    request.end();
    return promise;
  }
}

function lookedUp(lookup: LookupFunction, hostname: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: false }, (error, address) => (error ? reject(error) : resolve(String(address))));
  });
}
