import { Resolver } from 'node:dns/promises';
import http, { type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { AutodiscoverCache, closeConnections, type DiscoverOptions, type HostLookup } from '@tokenry/autodiscover';
import { createTestAuthority } from './certificates.js';
import { startDnsServer, type TestDns } from './dns-server.js';

export interface Received {
  readonly secure: boolean;
  readonly host: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}
/** Answers a request, or takes the response over. */
export type Handler = (request: Received, response: ServerResponse) => Reply | undefined | Promise<Reply | undefined>;

/** HTTPS, HTTP and DNS servers on this machine that together play the whole internet. */
export interface Lab {
  readonly ca: string;
  readonly dns: TestDns;
  readonly lookup: HostLookup;
  /** Everything that any server received. */
  readonly requests: readonly Received[];
  /** Options for a discovery inside this internet, with a cache of its own. */
  options(more?: DiscoverOptions): DiscoverOptions;
  /** A host that exists: it has an address, a certificate of its own name, and this behaviour. */
  host(
    name: string,
    handler?: Handler,
    options?: { readonly plain?: Handler; readonly certificate?: string; readonly a?: readonly string[] },
  ): void;
  /** TLS connections that are open now. */
  connections(): Promise<number>;
  /** Requests to a host, or all. */
  to(host: string): readonly Received[];
  reset(): void;
  close(): Promise<void>;
}

interface Host {
  readonly handler: Handler | undefined;
  readonly plain: Handler | undefined;
  readonly certificate: string;
}

export async function startLab(): Promise<Lab> {
  const [authority, dns] = await Promise.all([createTestAuthority(), startDnsServer()]);
  const hosts = new Map<string, Host>();
  const requests: Received[] = [];
  const serve = (secure: boolean) => async (message: http.IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
    const host = String(message.headers.host).replace(/:\d+$/, '');
    const { method = '', url: path = '', headers } = message;
    const received = { secure, host, method, path, headers, body: Buffer.concat(chunks).toString() };
    requests.push(received);
    const known = hosts.get(host);
    const reply =
      (await (secure ? known?.handler : known?.plain)?.(received, response)) ??
      (response.headersSent ? undefined : { status: 404 });
    if (!reply || response.writableEnded) return;
    response.writeHead(reply.status ?? 200, reply.headers as http.OutgoingHttpHeaders).end(reply.body);
  };
  const secure = https.createServer(
    {
      SNICallback: (name, done) => {
        const certificate = hosts.get(name)?.certificate;
        if (certificate === undefined) return done(new Error('no such host'));
        void authority.contextFor(certificate).then((context) => done(null, context), done);
      },
    },
    (message, response) => void serve(true)(message, response).catch(() => response.destroy()),
  );
  const plain = http.createServer((message, response) => void serve(false)(message, response).catch(() => response.destroy()));
  // Whoever closes idle connections, it is not these servers.
  secure.keepAliveTimeout = 60_000;
  for (const server of [secure, plain]) server.on('clientError', (_error, socket) => socket.destroy());
  const [securePort, plainPort] = await Promise.all([secure, plain].map(listen));
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([dns.server]);
  const lookup: HostLookup = async (name) => {
    const [v4, v6] = await Promise.all([resolver.resolve4(name).catch(() => []), resolver.resolve6(name).catch(() => [])]);
    return [...v4.map((address) => ({ address, family: 4 })), ...v6.map((address) => ({ address, family: 6 }))];
  };
  const connectTo: NonNullable<DiscoverOptions['connectTo']> = ({ port }) => ({
    port: (port === 80 ? plainPort : securePort) ?? port,
  });
  return {
    ca: authority.ca,
    dns,
    lookup,
    requests,
    options: (more = {}) => ({
      ca: authority.ca,
      lookup,
      dns: resolver,
      connectTo,
      cache: new AutodiscoverCache({ memoryOnly: true }),
      stepTimeoutMs: 5000,
      timeoutMs: 20_000,
      ...more,
    }),
    host(name, handler, { plain, certificate = name, a = ['127.0.0.1'] } = {}) {
      hosts.set(name, { handler, plain, certificate });
      dns.set(name, { a });
    },
    connections: () =>
      new Promise((resolve, reject) => secure.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
    to: (host) => requests.filter((request) => request.host === host),
    reset() {
      dns.clear();
      hosts.clear();
      requests.length = 0;
    },
    async close() {
      closeConnections();
      for (const server of [secure, plain]) server.closeAllConnections();
      await Promise.all([secure, plain].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
      await dns.close();
    },
  };
}

function listen(server: http.Server | https.Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}
