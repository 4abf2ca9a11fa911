import { invalidArgument } from '@tokenry/core/backend';
import type { DiscoverOptions } from './discover-options.js';

/** What each option must be able to do. Members decide, not classes: two copies of this package can be installed. */
const MEMBERS: Readonly<Partial<Record<keyof DiscoverOptions, readonly [what: string, ...members: string[]]>>> = {
  credentials: ['credentials such as new UsernamePasswordCredentials(…)', 'cacheKey', 'serialize'],
  account: ['an Account, or anything with getAccessToken()', 'getAccessToken'],
  authScheme: ['a scheme with accepts() and authorize()', 'accepts', 'authorize'],
  cache: ['an AutodiscoverCache, or false', 'getSettings', 'setSettings'],
  dns: ['a resolver with resolveSrv()', 'resolveSrv'],
  clock: ['a clock with now() and monotonic()', 'now', 'monotonic'],
};
const FUNCTIONS = ['onRedirect', 'lookup', 'connectTo'] as const;
const FLAGS = ['allowBasic', 'refresh', 'askMicrosoft', 'allowSrvPorts', 'blockPrivateNetworks', 'allowLoopback'] as const;

/** @throws TypeError naming the first option that is not what it must be; never its value, which may be a secret */
export function checkKinds(options: Readonly<DiscoverOptions>): void {
  for (const [name, [what, ...members]] of Object.entries(MEMBERS)) {
    const value: unknown = options[name as keyof DiscoverOptions];
    if (value === undefined || (name === 'cache' && value === false)) continue;
    if (!members.every((member) => typeof (value as Record<string, unknown> | null)?.[member] === 'function'))
      throw invalidArgument(`discover: "${name}" must be ${what}.`);
  }
  for (const name of FUNCTIONS)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw invalidArgument(`discover: "${name}" must be a function.`);
  for (const name of FLAGS)
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw invalidArgument(`discover: "${name}" must be true or false.`);
  const { trustedHosts } = options;
  if (trustedHosts !== undefined && !(Array.isArray(trustedHosts) && trustedHosts.every((host) => typeof host === 'string')))
    throw invalidArgument('discover: "trustedHosts" must be a list of host names.');
}
