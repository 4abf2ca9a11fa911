import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** `scripts/run.mjs` in a small repository, whose dependencies real npm unpacks without a network. */
const run = promisify(execFile);
const scripts = fileURLToPath(new URL('../scripts', import.meta.url));
const INSTALLS = /^Installing dependencies with npm ci/m;

let folder: string;
/** Installed by its owner with `npm ci`; each test takes a copy. */
let fresh: string;
let count = 0;

const npm = (cwd: string, ...args: string[]) => run('npm', [...args, '--offline', '--no-audit', '--no-fund'], { cwd });

async function write(path: string, content: string | object): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
}

async function pack(manifest: {
  readonly name: string;
  readonly version: string;
  readonly os?: readonly string[];
}): Promise<string> {
  const source = join(folder, 'sources', `${manifest.name}-${manifest.version}`);
  await write(join(source, 'package.json'), manifest);
  await npm(source, 'pack', '--pack-destination', folder);
  return `file:../${manifest.name}-${manifest.version}.tgz`;
}

async function wants(repository: string, tool: string): Promise<void> {
  await write(join(repository, 'package.json'), {
    name: 'repository',
    private: true,
    workspaces: ['parts/*'],
    devDependencies: { tool },
    optionalDependencies: {
      here: await pack({ name: 'here', version: '1.0.0', os: [process.platform] }),
      elsewhere: await pack({ name: 'elsewhere', version: '1.0.0', os: [`!${process.platform}`] }),
    },
  });
  await npm(repository, 'install', '--package-lock-only');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenry-run-'));
  fresh = join(folder, 'fresh');
  await cp(scripts, join(fresh, 'scripts'), { recursive: true });
  const pinned = join(fresh, 'parts', 'pinned');
  await write(join(pinned, 'package.json'), { name: 'pinned', version: '1.0.0', bin: { node: 'node.sh' } });
  await write(join(pinned, 'node.sh'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  await chmod(join(pinned, 'node.sh'), 0o755);
  const formatter = join(fresh, 'parts', 'formatter');
  await write(join(formatter, 'package.json'), { name: '@biomejs/biome', version: '1.0.0' });
  await write(join(formatter, 'bin', 'biome'), "console.log('formatted');");
  await wants(fresh, await pack({ name: 'tool', version: '1.0.0' }));
  await npm(fresh, 'ci');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function repository(): Promise<string> {
  count += 1;
  const copy = join(folder, `repository-${count}`);
  await cp(fresh, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return copy;
}

/** What the command prints. */
async function format(cwd: string): Promise<string> {
  const { stdout } = await run(process.execPath, [join('scripts', 'run.mjs'), 'format'], {
    cwd,
    env: { ...process.env, npm_config_offline: 'true' },
  });
  expect(stdout).toContain('formatted\n');
  return stdout;
}

describe('npm start and the other commands', () => {
  it('install nothing again after npm ci', async () => {
    const cwd = await repository();
    expect(await format(cwd)).not.toMatch(INSTALLS);
    expect(await format(cwd)).not.toMatch(INSTALLS);
  });

  it('install what is not there, once', async () => {
    const cwd = await repository();
    await rm(join(cwd, 'node_modules'), { recursive: true });
    expect(await format(cwd)).toMatch(INSTALLS);
    expect(await format(cwd)).not.toMatch(INSTALLS);
  });

  it.each(['dev', 'optional'])('install what npm ci --omit=%s left out', async (omitted) => {
    const cwd = await repository();
    await npm(cwd, 'ci', `--omit=${omitted}`);
    expect(await format(cwd)).toMatch(INSTALLS);
    expect(await format(cwd)).not.toMatch(INSTALLS);
  });

  it('install what the lock file names since, and again what it named before', async () => {
    const cwd = await repository();
    const tool = await pack({ name: 'tool', version: '1.1.0' });
    await format(cwd);
    await wants(cwd, tool);
    expect(await format(cwd)).toMatch(INSTALLS);
    await cp(join(fresh, 'package.json'), join(cwd, 'package.json'));
    await cp(join(fresh, 'package-lock.json'), join(cwd, 'package-lock.json'));
    expect(await format(cwd)).toMatch(INSTALLS);
  });

  it('do not take what npm installed for another lock file for what they installed themselves', async () => {
    const cwd = await repository();
    const tool = await pack({ name: 'tool', version: '1.2.0' });
    await format(cwd);
    await wants(cwd, tool);
    await npm(cwd, 'install');
    await cp(join(fresh, 'package.json'), join(cwd, 'package.json'));
    await cp(join(fresh, 'package-lock.json'), join(cwd, 'package-lock.json'));
    expect(await format(cwd)).toMatch(INSTALLS);
  });

  it('install anew where npm was stopped, or a package is gone or was changed', async () => {
    const stopped = await repository();
    await rm(join(stopped, 'node_modules', '.package-lock.json'));
    expect(await format(stopped)).toMatch(INSTALLS);
    const gone = await repository();
    await rm(join(gone, 'node_modules', 'tool'), { recursive: true });
    expect(await format(gone)).toMatch(INSTALLS);
    const changed = await repository();
    await write(join(changed, 'node_modules', 'tool', 'added.js'), '');
    expect(await format(changed)).toMatch(INSTALLS);
  });
});
