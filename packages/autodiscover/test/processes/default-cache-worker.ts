// Discovers one mailbox with the cache that is used when none is given, does what it is told, and discovers it again.
import { clearCache, closeConnections, type DiscoverOptions, discover } from '@tokenry/autodiscover';

const [ca = '', port = '', then = ''] = process.argv.slice(2);
const network: DiscoverOptions = {
  ca,
  lookup: async () => [{ address: '127.0.0.1', family: 4 }],
  dns: { resolveSrv: async () => [] },
  connectTo: () => ({ port: Number(port) }),
  askMicrosoft: false,
};
const { source: first } = await discover('ada@corp.example', network);
if (then === 'clear') await clearCache();
const { source: second } = await discover('ada@corp.example', network);
if (then === 'clear') await clearCache();
closeConnections();
console.log(JSON.stringify([first, second]));
