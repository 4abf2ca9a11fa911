import { createRequire } from 'node:module';
import { RedisLeases, RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Says whether ioredis was loaded: by the import, by the constructors, by the first command. */
const [options] = args as [RedisTokenBackendOptions];
const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => /[\\/]ioredis[\\/]/.test(path));
const afterImport = loaded();
const backend = new RedisTokenBackend(options);
const leases = new RedisLeases({ clientOptions: { port: 1 } });
const afterConstructors = loaded();
await backend.records.read('user-1');
say({ afterImport, afterConstructors, afterUse: loaded() });
await backend.close();
await leases.close();
hangUp();
