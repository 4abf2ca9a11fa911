import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Tries everything as another user, and says with what error each attempt ended. */
const [tokenPath, uid] = args as [string, number | null];
if (uid !== null && uid !== undefined) process.setuid?.(uid);
const { records, leases } = new FileSystemTokenBackend({ tokenPath });
const attempts: Record<string, () => Promise<unknown>> = {
  read: () => records.read('o365_token.txt'),
  write: () => records.write('o365_token.txt', Buffer.from('[]'), { expect: 'anything' }),
  remove: () => records.remove('o365_token.txt', { expect: 'anything' }),
  lease: () => leases.tryAcquire('l', { owner: 'me', ttlMs: 1_000 }),
};
const said: Record<string, object> = {};
for (const [name, attempt] of Object.entries(attempts))
  await attempt().catch((error: Error & { code?: string }) => {
    said[name] = { code: error.code, message: error.message };
  });
say(said);
hangUp();
