import { FirestoreTokenBackend } from '@tokenry/firestore';
import { args, hangUp, say } from '../../../../test-support/talk.ts';

/** Uses everything, closes nothing: must end by itself, with the lease still held. */
const [collection] = args as [string];
const { records, leases } = new FirestoreTokenBackend({ collection, timeoutMs: 60_000 });
await records.write('o365_token', Buffer.from('{}'), { expect: 'absent' });
const keys: string[] = [];
for await (const key of records.list()) keys.push(key);
await leases.tryAcquire('l', { owner: 'me', ttlMs: 60_000 });
say({ keys, memory: process.memoryUsage().rss });
hangUp();
