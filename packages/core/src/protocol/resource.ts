import { invalidArgument } from '../options.js';

/** Which collection a shorthand such as `user:` stands for. */
const COLLECTIONS: Readonly<Record<string, string>> = { user: 'users', group: 'groups', site: 'sites' };

/**
 * The URL path of a resource, percent-encoded, without slashes at its ends.
 *
 * | resource | path |
 * | --- | --- |
 * | `me` | `me` |
 * | `user:x`, or anything with `@` | `users/x` |
 * | `group:x` | `groups/x` |
 * | `site:x` | `sites/x` |
 * | `''` | `''`: no resource segment |
 * | anything else, such as `users/x` | itself |
 *
 * @throws TypeError for `.` and `..` segments, which a URL would resolve to somewhere else.
 */
export function resourcePath(resource: string): string {
  if (typeof resource !== 'string') throw invalidArgument('A resource is a string, such as "me" or "user:ada@contoso.com".');
  const shorthand = /^(user|group|site):(.*)$/s.exec(resource);
  if (shorthand) return collectionPath(COLLECTIONS[shorthand[1] ?? ''] ?? '', shorthand[2] ?? '');
  if (resource.includes('@') && !resource.includes('/')) return collectionPath('users', resource);
  return encodePath(resource.replace(/^\/+|\/+$/g, ''));
}

function collectionPath(collection: string, id: string): string {
  if (id === '') throw invalidArgument(`The resource shorthand for "${collection}" needs an id or name after the colon.`);
  // A site may be named by host and path (sites/contoso.sharepoint.com:/teams/hr); users and groups have no path.
  return `${collection}/${collection === 'sites' ? encodePath(id) : encodeSegment(id)}`;
}

function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

function encodeSegment(segment: string): string {
  if (segment === '.' || segment === '..') throw invalidArgument('A resource may not contain "." or ".." segments.');
  // These three are legal in a path segment (RFC 3986, 3.3) and common in user names and site ids: keep URLs readable.
  return encodeURIComponent(segment).replace(/%40|%2C|%3A/g, decodeURIComponent);
}
