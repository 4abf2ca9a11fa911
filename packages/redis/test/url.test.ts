import { type RedisClientOptions, RedisTokenBackend } from '@tokenry/redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisAvailable } from './servers/availability.js';
import { RedisServer } from './servers/redis-server.js';

const PASSWORD = 'secret-TEST/with#50%:and@';

describe.skipIf(!redisAvailable)('credentials', () => {
  const escaped = encodeURIComponent(PASSWORD);

  test.each<{ where: string; credentials: string; beside: RedisClientOptions }>([
    { where: 'all in the URL', credentials: `app:${escaped}@`, beside: {} },
    { where: 'the user in the URL, the password beside it', credentials: 'app@', beside: { password: PASSWORD } },
    { where: 'the password in the URL, the user beside it', credentials: `:${escaped}@`, beside: { username: 'app' } },
    { where: 'both beside the URL', credentials: '', beside: { username: 'app', password: PASSWORD } },
  ])('are taken: $where', async ({ credentials, beside }) => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    await server.cli('acl', 'setuser', 'app', 'reset', 'on', `>${PASSWORD}`, '~*', '+get', '+info');
    await server.cli('acl', 'setuser', 'default', 'resetpass', '>secret-TEST-other');
    const backend = new RedisTokenBackend({
      clientOptions: { url: `redis://${credentials}127.0.0.1:${server.port}`, ...beside },
    });
    onTestFinished(() => backend.close());
    expect(await backend.records.read('user-1')).toBeUndefined();
  });
});

test.each([`redis://app:${PASSWORD}@localhost`, 'redis://app:secret-TEST-50%@localhost', 'redis://localhost:port'])(
  'a URL that cannot be read is refused at once, and not repeated in the message: %s',
  (url) => {
    const make = () => new RedisTokenBackend({ clientOptions: { url } });
    expect(make).toThrow(/^clientOptions\.url is no URL\. Escape user and password/);
    expect(make).not.toThrow(/secret-TEST/);
  },
);
