// Discovers mailboxes over and over through one shared cache folder, and prints a dot for every answer that is right, a line for any other.
import { AutodiscoverCache, closeConnections, discover } from '@tokenry/autodiscover';

interface Work {
  readonly ca: string;
  readonly securePort: number;
  readonly folder: string;
  readonly discoveries: number;
  readonly mailboxes: number;
  readonly seed: number;
}
const work = JSON.parse(process.argv[2] ?? '{}') as Work;
const network = {
  ca: work.ca,
  lookup: async () => [{ address: '127.0.0.1', family: 4 }],
  dns: { resolveSrv: async () => [] },
  connectTo: () => ({ port: work.securePort }),
  askMicrosoft: false,
  timeoutMs: 120_000,
  stepTimeoutMs: 60_000,
};
const counts = { network: 0, memory: 0, store: 0, stale: 0 };
let seed = work.seed;
for (let i = 0; i < work.discoveries; i++) {
  seed = (seed * 48_271) % 2_147_483_647;
  const name = `user${seed % work.mailboxes}`;
  // A new cache object every few rounds: what matters is the folder, not this process' memory.
  const cache = new AutodiscoverCache({ folder: work.folder });
  const found = await discover(`${name}@corp.example`, { ...network, cache, refresh: seed % 5 === 0 });
  counts[found.source]++;
  const expected = `https://mail.corp.example/${name}/EWS/Exchange.asmx`;
  const url = found.services.ews?.externalUrl;
  process.stdout.write(
    url === expected && found.address === `${name}@corp.example` ? '.' : `\n${JSON.stringify({ url, expected })}\n`,
  );
}
closeConnections();
console.log(`\n${JSON.stringify({ done: true, ...counts })}`);
