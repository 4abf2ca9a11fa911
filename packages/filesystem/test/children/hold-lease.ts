import { FileSystemLeases } from '@tokenry/filesystem';
import { args, onMessage, say } from '../../../../test-support/talk.ts';

/** Takes a lease; then renews or releases it when told. */
const [tokenPath, name, owner, ttlMs] = args as [string, string, string, number];
const leases = new FileSystemLeases({ tokenPath });
say(await leases.tryAcquire(name, { owner, ttlMs }));
onMessage<'renew' | 'release'>(async (order) => {
  if (order === 'renew') return say({ renewed: await leases.renew(name, { owner, ttlMs }) });
  await leases.release(name, { owner, ttlMs });
  say('released');
});
