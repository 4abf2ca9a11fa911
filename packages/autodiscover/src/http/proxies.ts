import { type EnvironmentProxies, type ProxyOptions, proxiesOfEnvironment, proxyUrl } from '@tokenry/core/http';

/** Which forward proxy, if any, leads to a host. */
export type ProxyChoice = (target: {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
}) => URL | undefined;

/**
 * The choice that the options make: the given proxy for everything, none, or what the environment says.
 * @throws TypeError for a proxy that is none; the message never quotes it
 */
export function proxyChoice(proxy: string | false | ProxyOptions | undefined): ProxyChoice {
  if (proxy === false) return () => undefined;
  if (proxy !== undefined) {
    const url = new URL(proxyUrl(proxy));
    return () => url;
  }
  const environment = proxiesOfEnvironment();
  return environment ? byEnvironment(environment) : () => undefined;
}

function byEnvironment({ httpProxy, httpsProxy, noProxy }: EnvironmentProxies): ProxyChoice {
  const exceptions = noProxy.split(/[\s,]+/).filter(Boolean);
  const [plain, secure] = [httpProxy, httpsProxy].map((url) => (url === '' ? undefined : new URL(url)));
  return (target) => (exceptions.some((exception) => matches(exception, target)) ? undefined : target.secure ? secure : plain);
}

/** `*`, a host, a domain with everything below it, any of them with a port. */
function matches(exception: string, { hostname, port }: { readonly hostname: string; readonly port: number }): boolean {
  if (exception === '*') return true;
  const [, name = '', onlyPort] = /^(.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? [];
  // An IPv6 address ends in what looks like a port.
  if (exception === hostname) return true;
  if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
  const domain = name.replace(/^\*?\./, '');
  return domain !== '' && (hostname === domain || hostname.endsWith(`.${domain}`));
}

/** `Proxy-Authorization`, where the proxy's URL carries credentials. */
export function proxyHeaders(proxy: URL): Readonly<Record<string, string>> {
  if (proxy.username === '' && proxy.password === '') return {};
  const [name, password] = [proxy.username, proxy.password].map(decodeURIComponent);
  return { 'proxy-authorization': `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}
