import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A forward proxy in front of the lab. */
export interface TestProxy {
  readonly url: string;
  /** What it was asked for: `CONNECT host:port` or `GET http://…`, with the credentials that came along. */
  readonly requests: readonly { readonly line: string; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

/** Tunnels every target to the HTTPS port, and hands plain requests to the HTTP port. `refuse` answers everything with that status. */
export async function startProxy(
  ports: { readonly secure: number; readonly plain: number },
  refuse?: number,
): Promise<TestProxy> {
  const requests: { line: string; authorization: string | undefined }[] = [];
  const sockets = new Set<Duplex>();
  const note = ({ method, url, headers }: http.IncomingMessage) =>
    requests.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] });
  const server = http.createServer((request, response) => {
    note(request);
    if (refuse !== undefined) return void response.writeHead(refuse).end();
    const { pathname, host } = new URL(request.url ?? '');
    const forwarded = http.request({ host: '127.0.0.1', port: ports.plain, path: pathname, headers: { host } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.end();
  });
  server.on('connect', (request, client) => {
    note(request);
    if (refuse !== undefined) return void client.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`);
    const upstream = net.connect(ports.secure, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
