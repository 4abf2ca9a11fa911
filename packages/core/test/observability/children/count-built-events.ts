/** A program of its own, because test runs have listeners of theirs. Prints how many events were built before, while and after somebody listened. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { emit } from '@tokenry/core/backend';

let built = 0;
const happen = () =>
  emit('conflict', () => {
    built += 1;
    return { tokenKey: 'key', attempt: 1 };
  });
const counts: number[] = [];
const heard: unknown[] = [];
const listener = (event: unknown) => void heard.push(event);
happen();
counts.push(built);
subscribe('tokenry:conflict', listener);
happen();
counts.push(built);
unsubscribe('tokenry:conflict', listener);
happen();
counts.push(built);
process.stdout.write(JSON.stringify({ counts, heard }));
