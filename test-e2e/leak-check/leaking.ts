import { channel } from 'node:diagnostics_channel';
import { it } from 'vitest';

/** Each of these passes but for the leak check; the last one is clean. */
it('prints to the console', () => console.log('token', { secret: 'rt-TEST-console' }));
it('prints to standard output', () => void process.stdout.write('at-TEST-stdout\n'));
it('prints to standard error', () => void process.stderr.write(Buffer.from('secret-TEST-stderr\n')));
it('publishes', () => channel('tokenry:refresh').publish({ token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.x' }));
it('keeps quiet', () => console.log('nothing to see'));
