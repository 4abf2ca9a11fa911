import { FileSystemLeases } from '@tokenry/filesystem';
import { args, onMessage, say } from '../../../../test-support/talk.ts';

/** Tries to take one stale lease per message until somebody has it, and says how many contenders of this process got it. */
const [tokenPath, contenders] = args as [string, number];

onMessage<string>(async (name) => {
  const taken = await Promise.all(Array.from({ length: contenders }, (_, i) => contend(name, `${process.pid}:${i}`)));
  say({ taken: taken.filter(Boolean).length });
});

async function contend(name: string, owner: string): Promise<boolean> {
  const leases = new FileSystemLeases({ tokenPath });
  for (;;) {
    const answer = await leases.tryAcquire(name, { owner, ttlMs: 60_000 });
    if (answer.acquired) return true;
    if (answer.holder !== 'the dead') return false;
  }
}
say('ready');
