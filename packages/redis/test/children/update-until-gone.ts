import { VersionConflictError } from '@tokenry/core/backend';
import { RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Updates the records that are there, over and over, until none is left. */
const [options, keys] = args as [RedisTokenBackendOptions, readonly string[]];
const { records } = new RedisTokenBackend(options);
let saved = 0;

/** Whether the record is still there. */
async function update(key: string): Promise<boolean> {
  const found = await records.read(key);
  if (found === undefined || found === 'not-modified') return false;
  const next = String(Number(Buffer.from(found.data).toString()) + 1);
  try {
    await records.write(key, Buffer.from(next), { expect: { version: found.version } });
    if (saved++ === 0) say('ready');
  } catch (error) {
    if (!VersionConflictError.is(error)) throw error;
  }
  return true;
}

while ((await Promise.all(keys.map(update))).some((there) => there));
say({ saved });
hangUp();
