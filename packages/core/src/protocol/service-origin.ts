import { invalidArgument } from '../options.js';

/**
 * `https://<host>/` for a host name with or without a port; a full origin (`http://127.0.0.1:4000`) is taken as it is.
 * @throws TypeError when `host` carries a path, a query or credentials.
 */
export function serviceOrigin(host: string): string {
  const text = typeof host === 'string' && !host.includes('://') ? `https://${host}` : host;
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.pathname !== '/' || url.search || url.hash || url.username || url.password)
    throw invalidArgument('host must be a host name such as "graph.microsoft.us", with a port where it is not 443.');
  return `${url.origin}/`;
}
