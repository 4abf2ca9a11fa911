import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Each package as a user gets it: packed, installed alone into an empty project, typechecked, imported and required. */
const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const names = readdirSync(join(root, 'packages'));
const SDKS = ['ioredis', '@aws-sdk/client-s3', '@aws-sdk/client-secrets-manager', '@google-cloud/firestore', 'oidc-provider'];

let folder: string;
const tarballs = new Map<string, string>();

const manifestOf = (name: string) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenry-packages-'));
  for (const name of names) {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: join(root, 'packages', name) });
    const answer = JSON.parse(stdout);
    const [packed] = Array.isArray(answer) ? answer : Object.values<{ filename: string }>(answer);
    tarballs.set(name, join(folder, packed.filename.replace('@', '').replace('/', '-')));
  }
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Installs one package into an empty project and returns the project's folder. */
async function installed(name: string): Promise<string> {
  const project = join(folder, `project-${name}`);
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  const own = Object.keys(manifestOf(name).dependencies ?? {}).filter((dependency) => dependency.startsWith('@tokenry/'));
  const files = [name, ...own.map((dependency) => dependency.slice('@tokenry/'.length))].map(
    (each) => tarballs.get(each) ?? each,
  );
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...files], { cwd: project });
  return project;
}

const entriesOf = (name: string) =>
  Object.keys(manifestOf(name).exports)
    .filter((entry) => entry !== './package.json')
    .map((entry) => `@tokenry/${name}${entry.slice(1)}`);

describe.each(names)('@tokenry/%s', (name) => {
  let project: string;

  beforeAll(async () => {
    project = await installed(name);
  }, 180_000);

  it('loads as an ES module and by require', async () => {
    for (const entry of entriesOf(name)) {
      const show = (load: string) =>
        `${load}; console.log(Object.keys(it).filter((key) => key !== 'default' && key !== 'module.exports').sort().join())`;
      const esm = await run(bin('node'), ['--input-type=module', '-e', show(`const it = await import('${entry}')`)], {
        cwd: project,
      });
      const cjs = await run(bin('node'), ['--input-type=commonjs', '-e', show(`const it = require('${entry}')`)], {
        cwd: project,
      });
      expect(esm.stdout.trim().length, entry).toBeGreaterThan(3);
      expect(cjs.stdout, entry).toBe(esm.stdout);
    }
  });

  it('typechecks under strict', async () => {
    const lines = entriesOf(name).map(
      (entry, index) => `import * as entry${index} from '${entry}';\nexport const used${index}: object = entry${index};`,
    );
    await writeFile(join(project, 'index.ts'), lines.join('\n'));
    const options = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2023',
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
    };
    const peers = manifestOf(name).peerDependencies ? { skipLibCheck: true } : {};
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...options, ...peers }, files: ['index.ts'] }),
    );
    // What the compiler says, or why it could not be asked.
    const complaint = await run(bin('tsc'), ['-p', project]).then(
      ({ stdout }) => stdout,
      (error) => error.stdout || String(error),
    );
    expect(complaint.split('\n').slice(0, 5).join('\n')).toBe('');
  });

  it('brings no SDK of another package', () => {
    const { dependencies = {}, peerDependencies = {} } = manifestOf(name);
    const own = Object.keys({ ...dependencies, ...peerDependencies });
    const found = SDKS.filter((sdk) => existsSync(join(project, 'node_modules', sdk)));
    expect(found.filter((sdk) => !own.includes(sdk))).toEqual([]);
  });

  it('ships its README, its licence and its build, and no sources or tests', async () => {
    const files = readdirSync(join(project, 'node_modules/@tokenry', name));
    expect(files.sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    expect(readFileSync(join(root, 'packages', name, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
    expect(manifestOf(name)).toMatchObject({ license: 'MIT', type: 'module', sideEffects: false, engines: { node: '>=22.19' } });
  });
});
