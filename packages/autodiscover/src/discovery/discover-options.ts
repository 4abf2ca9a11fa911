import type { Cloud } from '@tokenry/core';
import { type Clock, invalidArgument, outOfRange, strictOptions, systemClock } from '@tokenry/core/backend';
import type { AuthScheme } from '../auth/auth-scheme.js';
import { basicAuth } from '../auth/basic-auth.js';
import { bearerAuth, type TokenSource } from '../auth/bearer-auth.js';
import type { AutodiscoverCache } from '../cache/autodiscover-cache.js';
import { type CloudName, type MicrosoftCloud, resolveCloud } from '../cloud/clouds.js';
import { type AccessType, checkAccessType } from '../credentials/access-type.js';
import type { BaseCredentials } from '../credentials/base-credentials.js';
import { BaseOAuth2Credentials } from '../credentials/base-oauth2-credentials.js';
import { UsernamePasswordCredentials } from '../credentials/username-password-credentials.js';
import { type SettingsChoice, settingNames } from '../soap/get-user-settings-request.js';
import type { SettingName } from '../soap/setting-names.js';
import type { OnRedirect } from '../trust/trust-policy.js';
import { NETWORK_OPTIONS, type NetworkOptions } from './network-options.js';
import { checkKinds } from './option-kinds.js';

export interface DiscoverOptions extends NetworkOptions {
  /** Who asks. Without credentials only anonymous services are asked. */
  readonly credentials?: BaseCredentials | undefined;
  /** Hands out bearer tokens: an `Account`. */
  readonly account?: TokenSource | undefined;
  /** How requests are signed in; overrides what credentials or account would mean. */
  readonly authScheme?: AuthScheme | undefined;
  /** Lets user name and password travel by Basic. @default false */
  readonly allowBasic?: boolean | undefined;
  /** @default impersonation for programs (`OAuth2Credentials`), delegate for everybody else */
  readonly accessType?: AccessType | undefined;
  /** Which settings to ask for. @default 'default' */
  readonly settings?: SettingsChoice | undefined;
  /** `false`: neither reads nor writes any. @default one for the process, in the user's cache folder */
  readonly cache?: AutodiscoverCache | false | undefined;
  /** Looks again even if the cache has an answer. @default false */
  readonly refresh?: boolean | undefined;
  /** Autodiscover address of a server of yours; visited first, and trusted. */
  readonly endpoint?: string | URL | undefined;
  /** The Microsoft cloud, where it is known already. */
  readonly cloud?: CloudName | Cloud | undefined;
  /** Asks Microsoft who owns the domain, and where the mailbox is. @default true */
  readonly askMicrosoft?: boolean | undefined;
  /** Hosts that may be used beside the mail domain and Microsoft: `mail.hoster.example`, `*.hoster.example`, `host:8443`. */
  readonly trustedHosts?: readonly string[] | undefined;
  /** Asked about every other host; anything but `true` denies. @default denies */
  readonly onRedirect?: OnRedirect | undefined;
  /** Takes SRV records with other ports than 443, for hosts that are trusted. @default false */
  readonly allowSrvPorts?: boolean | undefined;
  /** Deadline for everything, in milliseconds. @default 30000 */
  readonly timeoutMs?: number | undefined;
  /** Deadline for each request, in milliseconds. @default 10000 */
  readonly stepTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

const NAMES = [
  'credentials',
  'account',
  'authScheme',
  'allowBasic',
  'accessType',
  'settings',
  'cache',
  'refresh',
  'endpoint',
  'cloud',
  'askMicrosoft',
  'trustedHosts',
  'onRedirect',
  'allowSrvPorts',
  'timeoutMs',
  'stepTimeoutMs',
  'signal',
  'clock',
  ...NETWORK_OPTIONS,
] as const satisfies readonly (keyof DiscoverOptions)[];

/** Options after checking, with what follows from them. */
export interface Settled {
  readonly options: Readonly<DiscoverOptions>;
  readonly scheme: AuthScheme | undefined;
  readonly accessType: AccessType;
  readonly settings: readonly SettingName[];
  readonly endpoint: URL | undefined;
  readonly cloud: MicrosoftCloud | undefined;
  readonly askMicrosoft: boolean;
  readonly trustedHosts: readonly string[];
  readonly timeoutMs: number;
  readonly stepTimeoutMs: number;
  readonly clock: Clock;
  /** Everything but the mailbox that an answer depends on; `persist: false` when it only means something to this process. */
  readonly cacheKey: { readonly text: string; readonly persist: boolean };
}

/** Programs pass the same options again and again: they are checked again only when something in them has changed. */
const settledOnce = new WeakMap<DiscoverOptions, Settled>();

/** Checks options. @throws TypeError or RangeError naming what is wrong */
export function settle(given: DiscoverOptions): Settled {
  const known = settledOnce.get(given);
  if (known && sameOptions(known.options, given)) return known;
  const options = strictOptions('discover', given, NAMES);
  checkKinds(options);
  const { credentials, timeoutMs = 30_000, stepTimeoutMs = 10_000 } = options;
  for (const [name, value] of Object.entries({ timeoutMs, stepTimeoutMs }))
    if (!(value > 0 && value <= 2 ** 31 - 1)) throw outOfRange(`discover: "${name}" must be a positive number of milliseconds.`);
  const endpoint = options.endpoint === undefined ? undefined : checkEndpoint(options.endpoint);
  const settled = Object.freeze({
    options,
    scheme: schemeOf(options),
    accessType: options.accessType === undefined ? defaultAccessType(credentials) : checkAccessType(options.accessType),
    settings: settingNames(options.settings),
    endpoint,
    cloud: options.cloud === undefined ? undefined : resolveCloud(options.cloud),
    askMicrosoft: options.askMicrosoft ?? true,
    trustedHosts: [...(options.trustedHosts ?? []), ...(endpoint ? [endpoint.host] : [])],
    timeoutMs,
    stepTimeoutMs,
    clock: options.clock ?? systemClock,
    cacheKey: cacheKeyOf(options, endpoint),
  });
  settledOnce.set(given, settled);
  return settled;
}

function sameOptions(checked: DiscoverOptions, given: DiscoverOptions): boolean {
  let count = 0;
  for (const name in given) {
    count++;
    if (given[name as keyof DiscoverOptions] !== checked[name as keyof DiscoverOptions]) return false;
  }
  return count === Object.keys(checked).length;
}

function schemeOf({ authScheme, account, credentials, allowBasic, cloud }: Readonly<DiscoverOptions>): AuthScheme | undefined {
  if (authScheme) return authScheme;
  const inCloud = cloud === undefined ? {} : { cloud: resolveCloud(cloud) };
  if (account) return bearerAuth(account, inCloud);
  if (credentials instanceof BaseOAuth2Credentials)
    return bearerAuth(credentials, { cloud: credentials.cloud, scopes: credentials.scopes });
  return credentials instanceof UsernamePasswordCredentials && allowBasic === true ? basicAuth(credentials) : undefined;
}

function defaultAccessType(credentials: BaseCredentials | undefined): AccessType {
  return credentials?.kind === 'oauth2' ? 'impersonation' : 'delegate';
}

function checkEndpoint(value: string | URL): URL {
  const url = URL.canParse(String(value)) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '')
    throw invalidArgument(
      'discover: "endpoint" must be an https URL such as https://mail.corp.example/autodiscover/autodiscover.svc.',
    );
  return url;
}

const identities = new WeakMap<object, string>();
let nextIdentity = 0;
/** A name for an object that has none; it means nothing to another process. */
function identityOf(object: object): string {
  const name = identities.get(object) ?? `#${++nextIdentity}`;
  identities.set(object, name);
  return name;
}

function cacheKeyOf(options: Readonly<DiscoverOptions>, endpoint: URL | undefined): Settled['cacheKey'] {
  const {
    credentials,
    account,
    authScheme,
    allowBasic = false,
    settings = 'default',
    cloud,
    askMicrosoft = true,
    accessType,
  } = options;
  const anonymous = [account, authScheme].filter((source) => source !== undefined).map(identityOf);
  const text = JSON.stringify([
    credentials?.cacheKey() ?? '',
    anonymous,
    allowBasic,
    accessType ?? '',
    typeof settings === 'string' ? settings : [...settings].sort(),
    cloud === undefined ? '' : resolveCloud(cloud).name,
    askMicrosoft,
    endpoint?.href ?? '',
  ]);
  return { text, persist: anonymous.length === 0 };
}
