import { createServer } from 'node:http';
import { connect } from 'node:net';
import { listen } from './local-server.js';

export interface LocalProxy {
  readonly host: string;
  readonly port: number;
  /** What it was asked for: `CONNECT host:port`, or `GET http://…` for plain http. */
  readonly asked: readonly string[];
  /** Decoded `Proxy-Authorization`, one for each request. */
  readonly credentials: readonly (string | undefined)[];
}

export interface LocalProxyOptions {
  /** Answers CONNECT with 407. */
  readonly refuse?: boolean;
  /** Never answers CONNECT. */
  readonly silent?: boolean;
  /** Loopback port behind every name it is asked for; default: the port asked for. */
  readonly upstreamPort?: number;
}

/** A forward proxy: tunnels with CONNECT to this machine, answers plain requests itself. */
export async function startProxy(options: LocalProxyOptions = {}): Promise<LocalProxy> {
  const asked: string[] = [];
  const credentials: (string | undefined)[] = [];
  const note = (line: string, authorization: string | undefined) => {
    asked.push(line);
    credentials.push(authorization && Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString());
  };
  const server = createServer((request, response) => {
    note(`${request.method} ${request.url}`, request.headers['proxy-authorization']);
    response.end('from the proxy');
  });
  server.on('connect', (request, socket) => {
    note(`CONNECT ${request.url}`, request.headers['proxy-authorization']);
    if (options.silent) return;
    if (options.refuse) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const port = options.upstreamPort ?? Number(request.url?.split(':').at(-1));
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  const port = await listen(server);
  return { host: '127.0.0.1', port, asked, credentials };
}
