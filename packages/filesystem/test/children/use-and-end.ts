import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { args, hangUp } from '../../../../test-support/talk.ts';

/** Uses everything, closes nothing: must end by itself, with the lease still held. */
const [tokenPath] = args as [string];
const { records, leases } = new FileSystemTokenBackend({ tokenPath });
await records.write('o365_token.txt', Buffer.from('{}'), { expect: 'absent' });
for await (const key of records.list()) await records.read(key);
await leases.tryAcquire('l', { owner: 'me', ttlMs: 60_000 });
hangUp();
