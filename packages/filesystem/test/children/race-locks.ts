import { open, unlink } from 'node:fs/promises';
import { args, onMessage, say } from '../../../../test-support/talk.ts';
import './run-sources.ts';

const { claimOwner, newClaim } = await import('../../src/claim.ts');
const { createClaim, readClaim, removeClaim } = await import('../../src/claim-file.ts');
const { ownerState } = await import('../../src/process-identity.ts');
const { WriteLock } = await import('../../src/write-lock.ts');

/**
 * Races for one stale lock per message, with several contenders in this process, and says how often two of them were inside at
 * once. `naive` takes over as most programs do: it removes a dead owner's claim and makes its own.
 */
const [contenders, how] = args as [number, 'ours' | 'naive'];

onMessage<string>(async (path) => {
  const doubles = await Promise.all(Array.from({ length: contenders }, () => contend(path)));
  say({ doubles: doubles.reduce((sum, one) => sum + one, 0) });
});

function contend(path: string): Promise<number> {
  return how === 'naive' ? naively(path) : new WriteLock().run(path, () => alone(path));
}

async function naively(path: string): Promise<number> {
  while (!(await createClaim(path, newClaim()))) {
    const seen = await readClaim(path);
    if (seen && ownerState(claimOwner(seen.text)) === 'dead') await removeClaim(path);
  }
  const doubles = await alone(path);
  await removeClaim(path);
  return doubles;
}

async function alone(path: string): Promise<number> {
  const witness = `${path}.inside`;
  try {
    await (await open(witness, 'wx')).close();
  } catch {
    return 1;
  }
  await new Promise((resolve) => setImmediate(resolve));
  await unlink(witness);
  return 0;
}
say('ready');
