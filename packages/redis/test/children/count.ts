import { VersionConflictError } from '@tokenry/core/backend';
import { RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Adds one to a counter, `each` times over all `keys` in turn, by compare-and-swap. */
const [options, keys, each] = args as [RedisTokenBackendOptions, readonly string[], number];
const backend = new RedisTokenBackend(options);
let conflicts = 0;

async function add(key: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const found = await backend.records.read(key);
    const stored = found === undefined || found === 'not-modified' ? undefined : found;
    const count = stored ? Number(Buffer.from(stored.data).toString()) : 0;
    const expect = stored ? { version: stored.version } : 'absent';
    try {
      await backend.records.write(key, Buffer.from(String(count + 1)), { expect });
      return;
    } catch (error) {
      if (!VersionConflictError.is(error)) throw error;
      conflicts++;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(20, attempt)));
    }
  }
}

say('ready');
const start = Math.floor(Math.random() * keys.length);
for (let n = 0; n < each; n++) await add(keys[(start + n) % keys.length] ?? '');
say({ conflicts });
await backend.close();
hangUp();
