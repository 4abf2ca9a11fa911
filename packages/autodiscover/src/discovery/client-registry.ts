import { HttpClient, type HttpClientOptions } from '../http/http-client.js';

const MAX_CLIENTS = 16;
const FIELDS = ['ca', 'lookup', 'connectTo', 'proxy', 'blockPrivateNetworks', 'allowLoopback'] as const;
const clients: { readonly options: HttpClientOptions; readonly client: HttpClient }[] = [];

/** The client for these network options: discoveries that reach the network the same way share its connections. */
export function clientFor(options: HttpClientOptions): HttpClient {
  const known = clients.find((entry) => FIELDS.every((field) => entry.options[field] === options[field]));
  if (known) return known.client;
  const own = Object.fromEntries(
    FIELDS.flatMap((field) => (options[field] === undefined ? [] : [[field, options[field]]])),
  ) as HttpClientOptions;
  const client = new HttpClient(own);
  clients.push({ options: own, client });
  // Its connections end by themselves once they are idle.
  if (clients.length > MAX_CLIENTS) clients.shift();
  return client;
}

/** Ends every connection that discoveries hold open. Discoveries in flight end with `TOKENRY_AUTODISCOVER_ABORTED`; later ones open new connections. */
export function closeConnections(): void {
  for (const { client } of clients.splice(0)) client.close();
}
