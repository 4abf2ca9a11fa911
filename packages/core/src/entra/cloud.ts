import { invalidArgument, nearestName, strictOptions } from '../options.js';

/** One Microsoft cloud: where people sign in and where its APIs live. Changing the cloud changes all of it together. */
export interface Cloud {
  /** For messages and leases, such as `global`. */
  readonly name: string;
  /** Origin of the authorization server, such as `https://login.microsoftonline.com`. */
  readonly authority: string;
  /** Host of Microsoft Graph without scheme, such as `graph.microsoft.com`. */
  readonly graphHost: string;
  /** Host of Exchange Online without scheme, such as `outlook.office365.com`. */
  readonly exchangeHost?: string;
}

/** Names of the built-in clouds. */
export type CloudName = 'global' | 'usgov' | 'usgov-dod' | 'china';

/**
 * The national clouds. GCC (without High) lives in the global one. GCC High and DoD share an authority and differ in
 * their API hosts.
 * Sources: https://learn.microsoft.com/graph/deployments, https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
export const clouds: Readonly<Record<CloudName, Cloud>> = Object.freeze({
  global: cloud('global', 'login.microsoftonline.com', 'graph.microsoft.com', 'outlook.office365.com'),
  usgov: cloud('usgov', 'login.microsoftonline.us', 'graph.microsoft.us', 'outlook.office365.us'),
  'usgov-dod': cloud('usgov-dod', 'login.microsoftonline.us', 'dod-graph.microsoft.us', 'outlook-dod.office365.us'),
  china: cloud('china', 'login.partner.microsoftonline.cn', 'microsoftgraph.chinacloudapi.cn', 'partner.outlook.cn'),
});

function cloud(name: string, authorityHost: string, graphHost: string, exchangeHost: string): Cloud {
  return Object.freeze({ name, authority: `https://${authorityHost}`, graphHost, exchangeHost });
}

/**
 * The cloud behind a name, or a checked copy of a custom one.
 * @throws TypeError naming the nearest cloud, or what a custom entry lacks.
 */
export function resolveCloud(chosen: CloudName | Cloud | undefined = 'global'): Cloud {
  if (typeof chosen === 'string') return namedCloud(chosen);
  const own = strictOptions<Cloud>('cloud', chosen, ['name', 'authority', 'graphHost', 'exchangeHost']);
  if (!isHost(own.graphHost))
    throw invalidArgument('cloud: graphHost must be a host such as "graph.microsoft.com", without scheme.');
  if (own.exchangeHost !== undefined && !isHost(own.exchangeHost))
    throw invalidArgument('cloud: exchangeHost must be a host such as "outlook.office365.com", without scheme.');
  if (typeof own.name !== 'string' || own.name === '') throw invalidArgument('cloud: a custom cloud needs a name.');
  return Object.freeze({ ...own, authority: checkedAuthority(own.authority) });
}

function namedCloud(name: string): Cloud {
  if (Object.hasOwn(clouds, name)) return clouds[name as CloudName];
  const nearest = nearestName(name, Object.keys(clouds));
  throw invalidArgument(
    `cloud: unknown cloud "${name}"; ${nearest ? `did you mean "${nearest}"?` : `use ${Object.keys(clouds).join(', ')}.`}`,
  );
}

/** msal-node insists on https, and so does everybody who sends a client secret. */
function checkedAuthority(authority: unknown): string {
  const url = typeof authority === 'string' ? URL.parse(authority) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '')
    throw invalidArgument('cloud: authority must be an https URL such as "https://login.microsoftonline.com".');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function isHost(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9.-]+(?::\d{1,5})?$/i.test(value);
}
