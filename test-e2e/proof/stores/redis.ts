import { RedisTokenBackend } from '@tokenry/redis';
import type { ProofBackend } from '../backends.ts';

/** A server of its own for each store, whose data outlive its process. */
export const redis: ProofBackend = {
  name: 'redis',
  title: 'Redis: a `redis-server` that keeps an append-only file',
  processes: true,
  folder: false,
  saveSteps: [],
  network: {
    portOf: (location) => JSON.parse(location).port,
    through: (location, port) => JSON.stringify({ ...JSON.parse(location), port }),
    saveRequests: [{ name: 'save', holds: 'RefreshToken' }],
    beginsAnswer: () => true,
  },
  async prepare() {
    const { RedisServer } = await import('../../../packages/redis/test/servers/redis-server.ts');
    const server = await RedisServer.start({ args: ['--appendonly', 'yes'] });
    return { location: JSON.stringify({ port: server.port }), server, destroy: () => server.stop() };
  },
  open: (location) => new RedisTokenBackend({ clientOptions: { host: '127.0.0.1', ...JSON.parse(location) } }),
};
