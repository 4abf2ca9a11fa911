import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { BoundedAgent } from './bounded-agent.js';
import { type AddressRules, checkLiteral, pinnedLookup } from './host-lookup.js';
import { secureContext } from './secure-context.js';
import { TransportFailure, toTransportFailure } from './transport-failure.js';

/** Where to open the connection for a host and port instead, like curl's `--connect-to`. Certificate and Host stay the same. */
export type ConnectTo = (target: { readonly hostname: string; readonly port: number }) => {
  readonly hostname?: string;
  readonly port?: number;
};

export interface HttpClientOptions extends AddressRules {
  /** PEM certificates trusted beside the system's. */
  readonly ca?: string | undefined;
  readonly connectTo?: ConnectTo | undefined;
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

/** More than any Autodiscover answer; a larger one is cut off while it arrives. */
export const MAX_BODY_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const IDLE_SOCKET_MS = 15_000;

/**
 * One exchange at a time, followed by nothing: no redirects, no cookies, no decompression, no proxy, no retry. TLS is
 * always verified. A credential never leaves over plain HTTP.
 */
export class HttpClient {
  readonly #rules: HttpClientOptions;
  readonly #agentOptions: https.AgentOptions;
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
    this.#agent = new BoundedAgent(this.#agentOptions);
    this.#plainAgent = new http.Agent({ lookup: pinnedLookup(options) });
  }

  /** Aborts when `close()` is called. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** An agent with a single connection; destroy it when the handshake and its requests are done. */
  ownConnection(): https.Agent {
    return new https.Agent({ ...this.#agentOptions, maxSockets: 1 });
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
    if (!secure) return http.request({ ...common, agent: this.#plainAgent });
    // An address has no server name; the certificate is checked against the URL's host either way.
    const servername = isIP(hostname) === 0 ? hostname : '';
    return https.request({ ...common, servername, agent: connection ?? this.#agent });
  }
}

/** The certificate that a message's server showed. */
export function certificateOf(message: http.IncomingMessage): Uint8Array | undefined {
  return message.socket instanceof tls.TLSSocket ? message.socket.getPeerCertificate().raw : undefined;
}

async function readBody(message: http.IncomingMessage): Promise<string> {
  const encoding = message.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new TransportFailure('bad-response', 'the answer is compressed, which was not asked for');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new TransportFailure('too-large', `more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
