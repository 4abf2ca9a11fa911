import { RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Uses everything, closes nothing: must end by itself, with the lease still held. */
const [options] = args as [RedisTokenBackendOptions];
const { records, leases } = new RedisTokenBackend(options);
await records.write('used', Buffer.from('{}'), { expect: 'anything' });
for await (const key of records.list()) await records.read(key);
say(await leases.tryAcquire('l', { owner: 'me', ttlMs: 60_000 }));
hangUp();
