import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { parseCommandLine } from '../src/cli-options.js';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
// Runs the sources: Node strips the types but does not map the `.js` of imports to the `.ts` files that are there.
const RESOLVE = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
registerHooks({ resolve: (specifier, context, next) =>
  next(specifier.startsWith('.') && context.parentURL?.endsWith('.ts') ? specifier.replace(/\\.js$/, '.ts') : specifier, context) });`)}`;

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function run(args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', RESOLVE, CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, output, exited };
}

const statusOf = (url: string, ca: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    get(url, { ca, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).once('error', reject);
  });

it('the command prints where it is, writes its CA, and ends cleanly on Ctrl-C', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dev-authority-'));
  const caFile = join(folder, 'ca.pem');
  const { child, output, exited } = run(['--users', 'a@x.example,b@y.example', '--ca-file', caFile]);
  await expect.poll(() => output.stdout, { timeout: 20_000 }).toMatch(/Ctrl-C stops it/);
  const url = /Home page {3}(\S+)/.exec(output.stdout)?.[1] ?? '';
  expect(await statusOf(url, await readFile(caFile, 'utf8'))).toBe(200);
  child.kill('SIGINT');
  expect([await exited, output.stderr]).toEqual([0, '']);
  await rm(folder, { recursive: true });
});

it('the command prints one line of JSON for programs', async () => {
  const { child, output, exited } = run(['--json', '--refresh-tokens', 'one-time']);
  await expect.poll(() => output.stdout, { timeout: 20_000 }).toMatch(/\n$/);
  const { url, ca, cloud } = JSON.parse(output.stdout) as { url: string; ca: string; cloud: { authority: string } };
  expect([cloud.authority, await statusOf(url, ca)]).toEqual([url, 200]);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});

it('the command explains itself, and what it does not understand', async () => {
  const [help, wrong] = [run(['--help']), run(['--prot', '1'])];
  expect([await help.exited, help.output.stdout.startsWith('Usage: tokenry-dev-authority')]).toEqual([0, true]);
  expect([await wrong.exited, wrong.output.stdout, wrong.output.stderr]).toEqual([1, '', expect.stringContaining("'--prot'")]);
});

it('the command line is read into options', () => {
  const { options, printCa, json } = parseCommandLine([
    '--port',
    '8443',
    '--users',
    'a@x, b@y',
    '--access-token-seconds',
    '60',
    '--ca',
  ]);
  expect([options, printCa, json]).toEqual([
    { port: 8443, users: [{ username: 'a@x' }, { username: 'b@y' }], accessTokenSeconds: 60 },
    true,
    false,
  ]);
  expect(() => parseCommandLine(['--port', 'x'])).toThrow('whole number');
  expect(() => parseCommandLine(['--refresh-tokens', 'never'])).toThrow('refreshTokens');
});
