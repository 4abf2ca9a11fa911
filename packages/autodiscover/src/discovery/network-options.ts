import type { DnsResolver } from '../dns/srv.js';
import type { HttpClientOptions } from '../http/http-client.js';

/** How this machine reaches the network; for laboratories and split-horizon DNS. */
export interface NetworkOptions extends HttpClientOptions {
  /** Finds SRV records. @default the system's name servers, 4 s each */
  readonly dns?: DnsResolver | undefined;
}

/** The names of `NetworkOptions`, for owners that pass them through. */
export const NETWORK_OPTIONS = [
  'lookup',
  'dns',
  'connectTo',
  'proxy',
  'ca',
  'blockPrivateNetworks',
  'allowLoopback',
] as const satisfies readonly (keyof NetworkOptions)[];
