import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import tls from 'node:tls';
import type { ProxyOptions } from '@tokenry/core/http';
import type { BoundedAgent } from './bounded-agent.js';
import { type AddressRules, checkLiteral, pinnedLookup } from './host-lookup.js';
import { type ProxyChoice, proxyChoice, proxyHeaders } from './proxies.js';
import { readBody } from './read-body.js';
import { secureContext } from './secure-context.js';
import { TransportFailure, toTransportFailure } from './transport-failure.js';
import { TunnelAgent } from './tunnel-agent.js';

/** Where to open the connection for a host and port instead, like curl's `--connect-to`. Certificate and Host stay the same. */
export type ConnectTo = (target: { readonly hostname: string; readonly port: number }) => {
  readonly hostname?: string;
  readonly port?: number;
};

export interface HttpClientOptions extends AddressRules {
  /** PEM certificates trusted beside the system's. */
  readonly ca?: string | undefined;
  readonly connectTo?: ConnectTo | undefined;
  /**
   * A forward proxy's URL, or its parts; `false` for none.
   * @default what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say; with `connectTo` or `lookup`: none
   */
  readonly proxy?: string | false | ProxyOptions | undefined;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Deadline for the whole exchange, body included. */
  readonly timeoutMs: number;
  /** A connection of its own, for schemes that authenticate the connection. */
  readonly connection?: https.Agent | undefined;
}
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Every value of headers that came several times. */
  readonly distinct: NodeJS.Dict<string[]>;
  readonly body: string;
  /** DER; only where the connection is the request's own. */
  readonly serverCertificate?: Uint8Array | undefined;
}

const MAX_HEADER_BYTES = 16 * 1024;
const IDLE_SOCKET_MS = 15_000;
const TUNNEL_TIMEOUT_MS = 10_000;

/**
 * One exchange at a time, followed by nothing: no redirects, no cookies, no decompression, no retry. TLS is
 * always verified. A credential never leaves over plain HTTP.
 */
export class HttpClient {
  readonly #rules: HttpClientOptions;
  readonly #agentOptions: https.AgentOptions;
  readonly #proxyFor: ProxyChoice;
  readonly #agent: https.Agent;
  readonly #plainAgent: http.Agent;
  readonly #closing = new AbortController();

  constructor(options: HttpClientOptions = {}) {
    this.#rules = options;
    this.#agentOptions = {
      keepAlive: true,
      timeout: IDLE_SOCKET_MS,
      lookup: pinnedLookup(options),
      secureContext: secureContext(options.ca),
    };
    // Whoever finds addresses in a way of his own does not mean the proxy of this machine.
    const ownWay = options.connectTo !== undefined || options.lookup !== undefined;
    this.#proxyFor = proxyChoice(options.proxy ?? (ownWay ? false : undefined));
    this.#agent = this.#newAgent();
    this.#plainAgent = new http.Agent({ lookup: pinnedLookup(options) });
  }

  /** Aborts when `close()` is called. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** An agent with a single connection; retire it when the handshake and its requests are done. */
  ownConnection(): BoundedAgent {
    return this.#newAgent({ maxSockets: 1 });
  }

  #newAgent(more: https.AgentOptions = {}): BoundedAgent {
    const pinned = this.#rules.blockPrivateNetworks ? this.#agentOptions.lookup : undefined;
    const tunnel = { proxyFor: this.#proxyFor, pinned, connectTimeoutMs: TUNNEL_TIMEOUT_MS };
    return new TunnelAgent({ ...this.#agentOptions, ...more }, tunnel);
  }

  /** Sends a request and reads the whole answer. @throws TransportFailure, or the signal's reason */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    return this.#exchange(request, async (message) => ({
      // Before the body ends: afterwards the connection may have other plans.
      serverCertificate: request.connection && certificateOf(message),
      status: message.statusCode ?? 0,
      headers: message.headers,
      distinct: message.headersDistinct,
      body: await readBody(message),
    }));
  }

  /** Sends a request and hands the answer over as soon as its headers are there. The deadline ends with the headers. */
  async open(request: HttpRequest): Promise<http.IncomingMessage> {
    return this.#exchange(request, async (message) => message);
  }

  /** Ends every connection and every exchange in flight. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
    this.#plainAgent.destroy();
  }

  #exchange<T>(request: HttpRequest, read: (message: http.IncomingMessage) => Promise<T>): Promise<T> {
    const { signal, timeoutMs } = request;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.closing.aborted) return reject(new TransportFailure('unreachable', 'the client was closed'));
      const sent = this.#send(request);
      const timer = setTimeout(
        () => end(new TransportFailure('timeout', `no complete answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const onAbort = () => end(signal?.reason);
      const onClose = () => end(new TransportFailure('unreachable', 'the client was closed'));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.closing.addEventListener('abort', onClose, { once: true });
      const release = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.closing.removeEventListener('abort', onClose);
      };
      const end = (error: unknown) => {
        release();
        sent.destroy();
        reject(error);
      };
      sent.on('error', (error) => end(toTransportFailure(error)));
      // A CONNECT or Upgrade answer is none that was asked for.
      sent.on('upgrade', () => end(new TransportFailure('bad-response', 'the server tried to change the protocol')));
      sent.on('response', (message) => {
        read(message).then(
          (value) => {
            release();
            resolve(value);
          },
          (error: unknown) => end(toTransportFailure(error)),
        );
      });
      sent.end(request.body);
    });
  }

  #send({ method, url, headers = {}, body, connection }: HttpRequest): http.ClientRequest {
    const secure = url.protocol === 'https:';
    if (!secure && (url.protocol !== 'http:' || Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')))
      throw new TransportFailure('bad-response', 'a credential is only sent over https');
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const target = { hostname, port: Number(url.port || (secure ? 443 : 80)) };
    const { hostname: to = hostname, port = target.port } = this.#rules.connectTo?.(target) ?? {};
    checkLiteral(to, this.#rules);
    const common: https.RequestOptions = {
      method,
      host: to,
      port,
      path: `${url.pathname}${url.search}`,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        host: url.host,
        'user-agent': 'tokenry-autodiscover',
        'accept-encoding': 'identity',
        ...headers,
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
    };
    if (!secure) return this.#sendPlain(common, url, { hostname: to, port });
    // An address has no server name; the certificate is checked against the URL's host either way.
    const servername = isIP(hostname) === 0 ? hostname : '';
    return https.request({ ...common, servername, agent: connection ?? this.#agent });
  }

  #sendPlain(
    common: http.RequestOptions,
    url: URL,
    target: { readonly hostname: string; readonly port: number },
  ): http.ClientRequest {
    const proxy = this.#proxyFor({ secure: false, ...target });
    if (!proxy) return http.request({ ...common, agent: this.#plainAgent });
    // The proxy would look the name up by itself, and nobody could say what it found.
    if (this.#rules.blockPrivateNetworks)
      throw new TransportFailure('private-address', 'plain HTTP through a proxy cannot be checked');
    return (proxy.protocol === 'https:' ? https : http).request({
      ...common,
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      path: url.href,
      headers: { ...common.headers, ...proxyHeaders(proxy) },
      agent: false,
    });
  }
}

/** The certificate that a message's server showed. */
export function certificateOf(message: http.IncomingMessage): Uint8Array | undefined {
  return message.socket instanceof tls.TLSSocket ? message.socket.getPeerCertificate().raw : undefined;
}
