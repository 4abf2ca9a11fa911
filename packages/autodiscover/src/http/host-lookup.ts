import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { isPrivateAddress } from './private-networks.js';
import { TransportFailure } from './transport-failure.js';

export interface HostAddress {
  readonly address: string;
  readonly family: number;
}
/** Finds the addresses of a host name. The default asks the operating system, hosts file included. */
export type HostLookup = (hostname: string) => Promise<readonly HostAddress[]>;

export interface AddressRules {
  readonly lookup?: HostLookup | undefined;
  readonly blockPrivateNetworks?: boolean | undefined;
  readonly allowLoopback?: boolean | undefined;
}

const osLookup: HostLookup = (hostname) => systemLookup(hostname, { all: true });

/**
 * The `lookup` of a connection: what it returns has passed the rules, and the connection is made to exactly that. A name
 * that answers differently a moment later (DNS rebinding) gains nothing, because nobody asks again.
 */
export function pinnedLookup(rules: AddressRules): LookupFunction {
  const resolve = rules.lookup ?? osLookup;
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((found) => check(hostname, found, rules))
      .then((addresses) => {
        const wanted = options.family ? addresses.filter(({ family }) => family === options.family) : addresses;
        const [first = addresses[0]] = wanted;
        if (first === undefined) throw notFound(hostname);
        // The two shapes that node:net asks for.
        if (options.all) callback(null, [...wanted], first.family);
        else callback(null, first.address, first.family);
      })
      .catch((error: NodeJS.ErrnoException) => callback(error, '', 0));
  };
}

/** Applies the rules to a host that is an address already, for which nothing is looked up. */
export function checkLiteral(hostname: string, rules: AddressRules): void {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && rules.blockPrivateNetworks && isPrivateAddress(address, rules)) throw blocked(hostname);
}

function check(hostname: string, found: readonly HostAddress[], rules: AddressRules): readonly HostAddress[] {
  const addresses = found.filter(({ address }) => isIP(address) !== 0);
  if (addresses.length === 0) throw notFound(hostname);
  // One private answer among public ones is no accident either.
  if (rules.blockPrivateNetworks && addresses.some(({ address }) => isPrivateAddress(address, rules))) throw blocked(hostname);
  return addresses.map(({ address }) => ({ address, family: isIP(address) }));
}

function blocked(hostname: string): TransportFailure {
  return new TransportFailure('private-address', `"${hostname}" leads into a private network`);
}
function notFound(hostname: string): Error {
  return Object.assign(new Error(`"${hostname}" has no address`), { code: 'ENOTFOUND' });
}
