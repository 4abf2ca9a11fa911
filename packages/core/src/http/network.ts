import { createRequire } from 'node:module';
import type { SecureContext } from 'node:tls';
import type { Agent, Dispatcher, Pool } from 'undici';
import { nodeCrypto } from '../node-crypto.js';
import { invalidArgument } from '../options.js';
import { type EnvironmentProxies, environmentProxies } from './proxy.js';

type Undici = typeof import('undici');
type Tls = typeof import('node:tls');

/** On first need: a process that only reads a valid token pays for neither undici nor TLS. */
const require = createRequire(import.meta.url);

export interface NetworkOptions {
  readonly ca: string | undefined;
  readonly proxy: string | false | undefined;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly verifyTls: boolean;
}

/** One pool of connections and what is under way on it. */
export interface Network {
  /** A dispatcher for one call of the platform's `fetch`, built around `dispatch`. */
  adapter(dispatch: Dispatcher['dispatch']): Dispatcher;
  readonly dispatcher: Dispatcher;
  /** Deadline for headers, and for each next piece of a body. */
  readonly timeoutMs: number;
  /** Calls that still wait for the headers of their answer. */
  readonly waiting: Set<Promise<unknown>>;
  /** Calls whose answer has not arrived to its last byte. */
  readonly reading: Set<Promise<unknown>>;
  close(): Promise<void>;
}

/** How long answers whose body nobody reads may hold up a `close()`. */
const UNREAD_BODY_GRACE_MS = 1_000;

/** Loads undici and opens a dispatcher; the first connection is made by the first request. */
export function openNetwork(options: NetworkOptions): Network {
  const undici = require('undici') as Undici;
  const dispatcher = openDispatcher(undici, options);
  const waiting = new Set<Promise<unknown>>();
  const reading = new Set<Promise<unknown>>();
  return {
    dispatcher,
    timeoutMs: options.timeoutMs,
    waiting,
    reading,
    // The wrapper lets the platform's fetch, whichever undici it bundles, use this one (undici 8 changed the handlers).
    adapter: (dispatch) => new undici.Dispatcher1Wrapper({ dispatch } as Dispatcher),
    close: async () => {
      await Promise.allSettled(waiting);
      await settledWithin(reading, UNREAD_BODY_GRACE_MS);
      // Not close(): it would wait for bodies that nobody reads, and leaves nothing for a later destroy() to cut off.
      await dispatcher.destroy();
    },
  };
}

/** The proxies that this process' environment names. The one place that looks at the environment, for the proxy default. */
export function proxiesOfEnvironment(): EnvironmentProxies | undefined {
  return environmentProxies(process.env);
}

function openDispatcher(undici: Undici, options: NetworkOptions): Dispatcher {
  const { proxy, timeoutMs, connectTimeoutMs } = options;
  const tls = { ...tlsOptions(options), timeout: connectTimeoutMs };
  // HTTP/1.1 only: there "was anything sent?" has an exact answer for every single request.
  const common: Agent.Options = { connect: tls, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, allowH2: false };
  const proxied = {
    ...common,
    connectTimeout: connectTimeoutMs,
    requestTls: tls,
    proxyTls: tls,
    // A proxy that accepts a connection and then says nothing: its tunnel counts as connecting.
    clientFactory: (origin: URL, opts: object) =>
      new undici.Pool(origin, { ...(opts as Pool.Options), headersTimeout: connectTimeoutMs }),
  };
  if (typeof proxy === 'string') return new undici.ProxyAgent({ ...proxied, uri: proxy });
  const environment = proxy === false ? undefined : proxiesOfEnvironment();
  return environment ? new undici.EnvHttpProxyAgent({ ...proxied, ...environment }) : new undici.Agent(common);
}

function tlsOptions({ ca, verifyTls }: NetworkOptions): { secureContext?: SecureContext; rejectUnauthorized: boolean } {
  if (ca === undefined) return { rejectUnauthorized: verifyTls };
  return { secureContext: secureContextWith(ca), rejectUnauthorized: verifyTls };
}

// One context for all connections: parsing some 150 roots for each would cost more than the handshake.
function secureContextWith(ca: string): SecureContext {
  const tls = require('node:tls') as Tls;
  checkReadable(ca);
  return tls.createSecureContext({ ca: [...tls.getCACertificates('default'), ca] });
}

// TLS passes over what it cannot read, and every server would then be "not trusted here".
function checkReadable(ca: string): void {
  const { X509Certificate } = nodeCrypto();
  try {
    new X509Certificate(ca);
  } catch {
    throw invalidArgument('Transport: ca must be certificates in PEM; these cannot be read. Are its line breaks intact?');
  }
}

async function settledWithin(underWay: Iterable<Promise<unknown>>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([Promise.allSettled(underWay), grace]);
  clearTimeout(timer);
}
