import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { format } from 'node:util';
import { afterAll, afterEach } from 'vitest';
import { secretIn } from './test-e2e/no-secrets.js';

/**
 * Fails every test in whose time a secret was printed or published: whatever goes to standard output, standard error or
 * the console, and every event of ours. Runs in each test file.
 */
const CHANNELS = ['acquire', 'refresh', 'lease', 'save', 'conflict', 'fault', 'refresh-step'].map((name) => `tokenry:${name}`);
const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;

const leaks: string[] = [];
const note = (where: string, text: string) => {
  const secret = secretIn(text);
  if (secret !== undefined) leaks.push(`${where}: ${secret}…`);
};

for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = ((chunk: unknown, ...rest: unknown[]) => {
    note(stream === process.stdout ? 'standard output' : 'standard error', String(chunk));
    return write(chunk, ...rest);
  }) as typeof stream.write;
}
for (const method of METHODS) {
  const print = console[method].bind(console);
  console[method] = (...args: unknown[]) => {
    note(`console.${method}`, format(...args));
    print(...args);
  };
}

const listener = (event: unknown, channel: string | symbol) => note(String(channel), JSON.stringify(event) ?? '');
for (const channel of CHANNELS) subscribe(channel, listener);

function failOnLeaks(): void {
  if (leaks.length > 0) throw new Error(`A secret was printed or published: ${leaks.splice(0).join('; ')}`);
}
afterEach(failOnLeaks);
afterAll(() => {
  for (const channel of CHANNELS) unsubscribe(channel, listener);
  failOnLeaks();
});
