import { invalidArgument, outOfRange, strictOptions } from '../options.js';

/** A forward proxy. Credentials given here are percent-encoded for you: they may hold `@`, `:` and `/`. */
export interface ProxyOptions {
  /** Where it listens, such as `http://proxy.corp.example:8080`; `http` where no scheme is given. Either this or `host`. */
  readonly url?: string;
  readonly host?: string;
  /** With `host` only. @default 8080 */
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
}

/** What the environment says about proxies, ready for undici. */
export interface EnvironmentProxies {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

const OPTIONS = ['url', 'host', 'port', 'username', 'password'] as const satisfies readonly (keyof ProxyOptions)[];
const DEFAULT_PORT = 8080;
const LOOPBACK = 'localhost,127.0.0.1,::1';

/**
 * The URL of an explicit proxy with its credentials encoded.
 * @throws TypeError when it names no host or a scheme other than http and https. The message never quotes the value.
 */
export function proxyUrl(proxy: string | ProxyOptions): string {
  if (typeof proxy === 'string') return parseProxy(proxy, 'proxy').href;
  const { url, host, port = DEFAULT_PORT, username, password } = strictOptions('proxy', proxy, OPTIONS);
  if ((url === undefined) === (host === undefined)) throw invalidArgument('proxy: give either url or host.');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw outOfRange('proxy: port must be between 1 and 65535.');
  const parsed = parseProxy(url ?? `${host}:${port}`, 'proxy');
  if (username !== undefined) parsed.username = encodeURIComponent(username);
  if (password !== undefined) parsed.password = encodeURIComponent(password);
  return parsed.href;
}

/**
 * `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, upper or lower case; `undefined` when no proxy is set. Loopback addresses are
 * never proxied: a forward proxy would reach its own machine there, not this one.
 */
export function environmentProxies(env: Readonly<Record<string, string | undefined>>): EnvironmentProxies | undefined {
  const [http, https] = ['http', 'https'].map((scheme) => {
    const name = `${scheme}_proxy`;
    const value = env[name] || env[name.toUpperCase()];
    return value ? parseProxy(value, name.toUpperCase()).href : undefined;
  });
  if (http === undefined && https === undefined) return undefined;
  // An empty string tells undici "none" without letting it look at the environment itself.
  return {
    httpProxy: http ?? '',
    httpsProxy: https ?? http ?? '',
    noProxy: [env.no_proxy ?? env.NO_PROXY, LOOPBACK].filter(Boolean).join(','),
  };
}

function parseProxy(text: string, name: string): URL {
  const encoded = encodeCredentials(text.trim());
  const url = URL.canParse(encoded) ? new URL(encoded) : undefined;
  if (!url || url.hostname === '' || !/^https?:$/.test(url.protocol))
    throw invalidArgument(`${name} must be the http or https URL of a proxy, such as "http://proxy.example:8080".`);
  return url;
}

/** Adds the scheme where it is missing and encodes what a person typed between it and the last `@`. */
function encodeCredentials(text: string): string {
  const [, scheme = 'http://', credentials, rest = ''] = /^([a-z][a-z\d+.-]*:\/\/)?(?:(.*)@)?(.*)$/is.exec(text) ?? [];
  if (credentials === undefined) return `${scheme}${rest}`;
  const colon = credentials.indexOf(':');
  const parts = colon < 0 ? [credentials] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
  return `${scheme}${parts.map(encodeUserinfo).join(':')}@${rest}`;
}

/** Leaves `%41` alone, because whoever wrote a whole URL may have encoded it already. */
function encodeUserinfo(text: string): string {
  return text.replace(/%[\da-f]{2}|./gisu, (piece) =>
    piece.length === 3 && piece.startsWith('%') ? piece : encodeURIComponent(piece),
  );
}
