import { Resolver } from 'node:dns/promises';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}
/** What is needed of DNS; `new Resolver()` of `node:dns/promises` fits. */
export interface DnsResolver {
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  cancel?(): void;
}

const DNS_TIMEOUT_MS = 4000;

/** Asks the system's name servers, or the given ones. */
export function createResolver(options: { readonly servers?: readonly string[]; readonly timeoutMs?: number } = {}): DnsResolver {
  const resolver = new Resolver({ timeout: options.timeoutMs ?? DNS_TIMEOUT_MS, tries: 2 });
  if (options.servers) resolver.setServers([...options.servers]);
  return resolver;
}

const HOSTNAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/**
 * The order in which RFC 2782 wants the servers tried: lowest priority first, within one priority by weighted lot. A
 * target of `.` says that the service is not offered. Other ports than 443 only when `anyPort` allows them.
 */
export function orderSrv(
  records: readonly SrvRecord[],
  options: { readonly anyPort?: boolean; readonly random?: () => number } = {},
): readonly SrvRecord[] {
  const { anyPort = false, random = Math.random } = options;
  const usable = records
    .map((record) => ({ ...record, name: record.name.toLowerCase().replace(/\.$/, '') }))
    .filter(({ name, port }) => HOSTNAME.test(name) && (anyPort ? port > 0 && port < 65_536 : port === 443));
  const priorities = [...new Set(usable.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    drawByWeight(
      usable.filter((record) => record.priority === priority),
      random,
    ),
  );
}

function drawByWeight(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  // Records of weight 0 go first, so that they have a small chance of being drawn (RFC 2782, page 4).
  const left = [...records].sort((a, b) => a.weight - b.weight);
  const drawn: SrvRecord[] = [];
  while (left.length > 0) {
    let lot = Math.floor(random() * (left.reduce((sum, { weight }) => sum + weight, 0) + 1));
    const index = left.findIndex(({ weight }) => {
      lot -= weight;
      return lot <= 0;
    });
    drawn.push(...left.splice(Math.max(index, 0), 1));
  }
  return drawn;
}
