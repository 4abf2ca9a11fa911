import { RedisTokenBackend } from '@tokenry/redis';
import type { ProofBackend } from '../backends.ts';

/** A server of its own for each store. */
export const redis: ProofBackend = {
  name: 'redis',
  processes: true,
  folder: false,
  saveSteps: [],
  async prepare() {
    const { RedisServer } = await import('../../../packages/redis/test/servers/redis-server.ts');
    const server = await RedisServer.start();
    return { location: JSON.stringify({ port: server.port }), destroy: () => server.stop() };
  },
  open: (location) => new RedisTokenBackend({ clientOptions: { host: '127.0.0.1', ...JSON.parse(location) } }),
};
