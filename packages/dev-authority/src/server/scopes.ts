/** Resource of scopes without a prefix, as with Entra ID. */
export const GRAPH = 'https://graph.microsoft.com';
/** Graph's application id, which is also accepted as its audience. */
export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';
/**
 * Stands for `offline_access` inside the authorization server: oidc-provider drops that scope unless the request
 * carries `prompt=consent` (OpenID Connect Core 11), which neither Entra ID nor its clients know about.
 */
export const OFFLINE = 'urn:dev-authority:offline';

const OPENID = new Set(['openid', 'profile', 'email']);
const DEFAULT_GRAPH_PERMISSIONS = ['Mail.ReadWrite', 'Mail.Send', 'User.Read'];

/** What a `scope` parameter asks for. Resource scopes are kept as they were written: Entra ID answers in the same form. */
export interface AskedScopes {
  readonly openid: readonly string[];
  readonly offline: boolean;
  /** By resource, in the order asked. */
  readonly resources: ReadonlyMap<string, readonly string[]>;
}

/** The resource that a scope belongs to: everything before its last slash, or Microsoft Graph. */
export function resourceOf(scope: string): string {
  const slash = scope.lastIndexOf('/');
  if (slash <= 0) return GRAPH;
  const prefix = scope.slice(0, slash).replace(/\/$/, '');
  if (prefix === GRAPH_APP_ID) return GRAPH;
  // oidc-provider wants absolute URIs as resource indicators; a bare application id becomes its default URI.
  return prefix.includes('://') ? prefix : `api://${prefix}`;
}

/** The permission's own name: `User.Read` for `https://graph.microsoft.com/User.Read`. */
export const permissionOf = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1);

/** Sorts a `scope` parameter by resource and expands `.default` into the permissions it stands for. */
export function parseScopes(scope: string | undefined): AskedScopes {
  const openid: string[] = [];
  const resources = new Map<string, string[]>();
  let offline = false;
  for (const item of new Set((scope ?? '').split(/\s+/).filter(Boolean))) {
    if (item === 'offline_access' || item === OFFLINE) offline = true;
    else if (OPENID.has(item)) openid.push(item);
    else addResourceScope(resources, item);
  }
  return { openid, offline, resources };
}

function addResourceScope(resources: Map<string, string[]>, scope: string): void {
  const resource = resourceOf(scope);
  const asked = resources.get(resource) ?? [];
  resources.set(resource, asked);
  const wanted = permissionOf(scope) === '.default' ? [...defaultPermissions(scope, resource), scope] : [scope];
  for (const item of wanted) if (!asked.includes(item)) asked.push(item);
}

function defaultPermissions(scope: string, resource: string): readonly string[] {
  const slash = scope.lastIndexOf('/');
  const prefix = slash < 0 ? '' : scope.slice(0, slash + 1);
  const isGraph = resource === GRAPH || /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(resource);
  return (isGraph ? DEFAULT_GRAPH_PERMISSIONS : ['user_impersonation']).map((permission) => prefix + permission);
}

/** The `scope` parameter in the form oidc-provider works with. */
export function internalScope(asked: AskedScopes): string {
  return [...asked.openid, ...(asked.offline ? [OFFLINE] : []), ...[...asked.resources.values()].flat()].join(' ');
}

/** What of `scope` a token for `resource` may name: its own permissions and the OpenID ones. */
export function scopeFor(resource: string, scope: string, withheld: readonly string[]): string {
  const { openid, resources } = parseScopes(scope);
  const refused = new Set(withheld.map(permissionOf));
  const own = resources.get(resource) ?? [];
  return [...openid, ...own.filter((item) => !refused.has(permissionOf(item)))].join(' ');
}
