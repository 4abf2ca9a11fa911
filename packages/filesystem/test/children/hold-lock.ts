import { args, hangUp, onMessage, say } from '../../../../test-support/talk.ts';
import './run-sources.ts';

const { WriteLock } = await import('../../src/write-lock.ts');

/** Holds a lock until told to let go. */
const [path] = args as [string];
const released = new Promise((resolve) => onMessage(resolve));
await new WriteLock().run(path, async () => {
  say('held');
  await released;
});
say('released');
hangUp();
