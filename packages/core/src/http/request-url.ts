import { invalidArgument } from '../options.js';

export type QueryParams = Readonly<Record<string, string | number | boolean>>;

/**
 * The absolute URL of a request: `path` below `serviceUrl`, with or without a slash in front, or an absolute URL as it is;
 * `params` encoded and appended. Keys keep their `$`, so that `$top=5` stays readable in logs of proxies and servers.
 */
export function requestUrl(path: string, serviceUrl: string, params: QueryParams = {}): string {
  if (typeof path !== 'string') throw invalidArgument('The URL of a request must be a string.');
  const absolute = /^https?:\/\//i.test(path);
  // "./" keeps a first segment with a colon ("root:/report.txt") from being read as a scheme.
  const target = absolute ? path : `./${path.replace(/^\/+/, '')}`;
  if (!URL.canParse(target, serviceUrl))
    throw invalidArgument('The URL of a request must be absolute, or a path below the service URL.');
  const url = new URL(target, serviceUrl);
  const query = Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&');
  if (query !== '') url.search = url.search === '' ? query : `${url.search}&${query}`;
  return url.href;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%24', '$');
}
