/**
 * One name per cloud. Entra answers under several hosts; the cache knows each cloud by the name that msal-node prefers
 * (instance discovery: https://login.microsoftonline.com/common/discovery/instance, `preferred_cache`).
 */

interface EntraCloud {
  /** Canonical name in a record. */
  readonly cache: string;
  /** Name that MSAL Python writes, being the host in its authority. */
  readonly network: string;
  readonly aliases: readonly string[];
}

/** The name that stands in nearly every entity of nearly every record. */
const PUBLIC_CLOUD = 'login.windows.net';

const CLOUDS: readonly EntraCloud[] = [
  {
    cache: PUBLIC_CLOUD,
    network: 'login.microsoftonline.com',
    aliases: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
  },
  {
    cache: 'login.partner.microsoftonline.cn',
    network: 'login.partner.microsoftonline.cn',
    aliases: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
  },
  {
    cache: 'login.microsoftonline.us',
    network: 'login.microsoftonline.us',
    aliases: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
  },
];

const CANONICAL = new Map(CLOUDS.flatMap(({ cache, aliases }) => aliases.map((alias) => [alias, cache] as const)));
const NETWORK = new Map(CLOUDS.map(({ cache, network }) => [cache, network] as const));

/** The name under which a record keeps this server's entities; hosts of no known cloud are only lower-cased. */
export function canonicalEnvironment(environment: string): string {
  if (environment === PUBLIC_CLOUD) return environment;
  const known = CANONICAL.get(environment);
  if (known !== undefined) return known;
  const lower = environment.toLowerCase();
  return CANONICAL.get(lower) ?? lower;
}

/** The name that MSAL Python uses for a canonical environment. */
export function pythonEnvironment(environment: string): string {
  return NETWORK.get(environment) ?? environment;
}

/** Whether this is a name of an Entra cloud. */
export function isEntraEnvironment(environment: string): boolean {
  return CANONICAL.has(environment);
}

/** Every name of the server that answers at `host`, the canonical one first. */
export function environmentNames(host: string): readonly string[] {
  const canonical = canonicalEnvironment(host);
  const aliases = CLOUDS.find(({ cache }) => cache === canonical)?.aliases ?? [];
  return [canonical, ...aliases.filter((alias) => alias !== canonical)];
}
