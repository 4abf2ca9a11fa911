import { BlockList, isIP } from 'node:net';

/** Address ranges that no public host name should lead to. Source: IANA special-purpose address registries. */
const V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
const V6: readonly (readonly [string, number])[] = [
  ['::', 128],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const loopback = list([['127.0.0.0', 8]], [['::1', 128]]);
const special = list(V4, V6);

function list(v4: readonly (readonly [string, number])[], v6: readonly (readonly [string, number])[]): BlockList {
  const made = new BlockList();
  for (const [net, prefix] of v4) made.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of v6) made.addSubnet(net, prefix, 'ipv6');
  return made;
}

/** Whether an address is private, local or otherwise not a place on the public internet. */
export function isPrivateAddress(address: string, options: { readonly allowLoopback?: boolean | undefined } = {}): boolean {
  const embedded = embeddedV4(address);
  if (embedded !== undefined) return isPrivateAddress(embedded, options);
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (loopback.check(address, family)) return options.allowLoopback !== true;
  return isIP(address) === 0 || special.check(address, family);
}

/** The IPv4 address inside `::ffff:a.b.c.d` or a NAT64 address, in whatever notation. */
function embeddedV4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const tail = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (!tail) return undefined;
  const [high, low] = [Number.parseInt(tail[1] ?? '0', 16), Number.parseInt(tail[2] ?? '0', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
