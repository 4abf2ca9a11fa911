/**
 * Scopes as sets: what was asked, what was granted, and whether one serves the other. Case never matters; the reserved
 * OpenID Connect scopes are no permissions and are left out; short names are Microsoft Graph's.
 */

const GRAPH = 'https://graph.microsoft.com';
const DEFAULT_SUFFIX = '/.default';
const RESERVED = new Set(['openid', 'profile', 'offline_access', 'email']);

/** Scope texts whose meaning is remembered. */
const MAX_REMEMBERED = 1_000;

/** Graph's other hosts: each cloud has one, a record's environment keeps the clouds apart, so one name does for all. */
const GRAPH_RESOURCES = new Set([
  GRAPH,
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
  '00000003-0000-0000-c000-000000000000',
]);

/** Lower-case, fully qualified, sorted, without reserved scopes and repetitions. */
export type ScopeSet = readonly string[];

/** Whether `scope` is one of `openid profile offline_access email`. */
export function isReservedScope(scope: string): boolean {
  return RESERVED.has(scope.toLowerCase());
}

/** The words of a `scope` parameter or of a list of them (RFC 6749 section 3.3). */
export function splitScopes(scopes: string | readonly string[]): readonly string[] {
  return wordsOf(textOf(scopes));
}

/** The comparable form of `scopes`; normalising it again changes nothing. */
export function normaliseScopes(scopes: string | readonly string[]): ScopeSet {
  return setOf(textOf(scopes));
}

const wordsOf = remembering((text) => text.split(/\s+/).filter((scope) => scope !== ''));
const setOf = remembering((text) => {
  const words = wordsOf(text).map((scope) => scope.toLowerCase());
  return [...new Set(words.filter((scope) => !RESERVED.has(scope)).map(qualify))].sort();
});

function textOf(scopes: string | readonly string[]): string {
  return typeof scopes === 'string' ? scopes : scopes.join(' ');
}

// The users of one program have the same few scopes; working them out is most of the cost of reading a record.
function remembering(workOut: (text: string) => string[]): (text: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  let last = '';
  let lastResult: readonly string[] = Object.freeze(workOut(''));
  return (text) => {
    // A text that was just read from a store would have to be hashed to look it up.
    if (text === last) return lastResult;
    let result = known.get(text);
    if (!result) {
      result = Object.freeze(workOut(text));
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(text, result);
    }
    [last, lastResult] = [text, result];
    return result;
  };
}

/** Whom a token with this scope is for, such as `https://graph.microsoft.com`; in normal form. */
export function resourceOf(scope: string): string {
  const lower = scope.toLowerCase();
  const slash = lower.lastIndexOf('/');
  return slash < 0 ? GRAPH : normaliseResource(lower.slice(0, slash));
}

/** Lower case, no trailing slashes, one name for Microsoft Graph. */
export function normaliseResource(resource: string): string {
  const trimmed = resource.toLowerCase().replace(/\/+$/, '');
  return GRAPH_RESOURCES.has(trimmed) ? GRAPH : trimmed;
}

/** Whether this scope asks for whatever was consented to. */
export function isDefaultScope(scope: string): boolean {
  return scope === '.default' || scope.endsWith(DEFAULT_SUFFIX);
}

/**
 * Whether a token granted `granted` serves a request for `asked`, both in normal form: every scope is contained, and
 * `<resource>/.default` is by any scope of that resource. An empty request is Graph's, which is whom Entra names
 * when nothing but `openid` is asked.
 */
export function contains(granted: ScopeSet, asked: ScopeSet): boolean {
  if (granted === asked) return true;
  if (asked.length === 0) return granted.length === 0 || granted.some((scope) => resourceOf(scope) === GRAPH);
  return asked.every((scope) => granted.includes(scope) || (isDefaultScope(scope) && hasResource(granted, resourceOf(scope))));
}

/** Whether one of the granted scopes (in normal form) is of this resource (in normal form). */
export function hasResource(granted: ScopeSet, resource: string): boolean {
  return granted.some((scope) => resourceOf(scope) === resource);
}

function qualify(scope: string): string {
  const slash = scope.lastIndexOf('/');
  if (slash < 0) return `${GRAPH}/${scope}`;
  return `${normaliseResource(scope.slice(0, slash))}/${scope.slice(slash + 1)}`;
}
