import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** The rules of ARCHITECTURE.md about who may import what, read from the sources. */
const root = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|(?:import|require)\(\s*'([^']+)'\s*\)/g;

/** What each package may import besides Node.js itself and its own files. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['@azure/msal-node', 'undici', 'jose', 'cldr-core', 'cldr-bcp47', 'node-forge', 'open'],
  memory: ['@tokenry/core'],
  env: ['@tokenry/core'],
  filesystem: ['@tokenry/core'],
  redis: ['@tokenry/core', 'ioredis'],
  s3: ['@tokenry/core', '@aws-sdk/client-s3'],
  'secrets-manager': ['@tokenry/core', '@aws-sdk/client-secrets-manager'],
  firestore: ['@tokenry/core', '@google-cloud/firestore'],
  conformance: ['@tokenry/core'],
  autodiscover: ['@tokenry/core', 'saxes', 'tldts'],
  'msal-cache': ['@tokenry/core'],
  opentelemetry: ['@tokenry/core', '@opentelemetry/api'],
  'dev-authority': ['oidc-provider', '@peculiar/x509', 'reflect-metadata'],
};

const packages = readdirSync(join(root, 'packages'));
const importsOf = (name: string) => sourcesOf(join(root, 'packages', name, 'src')).flatMap(importsIn);

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}

function importsIn(file: string): Import[] {
  return [
    ...readFileSync(file, 'utf8')
      .replaceAll(/\/\*[\s\S]*?\*\//g, '')
      .matchAll(IMPORT),
  ].map((match) => ({
    from: relative(root, file).split(sep).join('/'),
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }));
}

/** Without comments, which speak of many things. */
const codeOf = (file: string) => readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const isOwnFile = ({ specifier }: Import) => specifier.startsWith('.');
const isBuiltIn = ({ specifier }: Import) => specifier.startsWith('node:');
const told = ({ from, specifier }: Import) => `${from} imports ${specifier}`;

describe('house rules', () => {
  it('finds imports at all', () => {
    expect(importsOf('core').filter(isOwnFile).length).toBeGreaterThan(300);
  });

  it.each(packages)('%s imports only what the design lists for it', (name) => {
    const allowed = ALLOWED[name];
    expect(allowed, `say in this test what packages/${name} may import`).toBeDefined();
    const foreign = importsOf(name).filter((it) => !isOwnFile(it) && !isBuiltIn(it));
    expect(foreign.filter(({ specifier }) => !allowed?.includes(packageOf(specifier))).map(told)).toEqual([]);
  });

  it.each(packages)('%s declares every package that it imports', (name) => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const foreign = importsOf(name).filter((it) => !isOwnFile(it) && !isBuiltIn(it));
    expect(foreign.filter(({ specifier }) => !declared.includes(packageOf(specifier))).map(told)).toEqual([]);
  });

  it("nobody reaches into another package's files", () => {
    const all = packages.flatMap(importsOf);
    const deep = all.filter(({ specifier }) => /^@tokenry\/[^/]+\/(?!backend$|tokens$|http$)/.test(specifier));
    const outside = all.filter(
      (it) => isOwnFile(it) && !join(root, dirname(it.from), it.specifier).startsWith(packageFolder(it)),
    );
    expect([...deep, ...outside].map(told)).toEqual([]);
  });

  it('every import of one package by another goes to core', () => {
    const between = packages.flatMap(importsOf).filter(({ specifier }) => specifier.startsWith('@tokenry/'));
    expect(between.filter(({ specifier }) => packageOf(specifier) !== '@tokenry/core').map(told)).toEqual([]);
  });

  it('msal-node is imported in core/src/entra alone, and only its types statically', () => {
    const users = packages.flatMap(importsOf).filter(({ specifier }) => specifier === '@azure/msal-node');
    expect(users.filter(({ from }) => !from.startsWith('packages/core/src/entra/')).map(told)).toEqual([]);
  });

  it.each([
    '@azure/msal-node',
    'undici',
    'jose',
    'cldr-core',
    'cldr-bcp47',
    'node-forge',
    'open',
    'ioredis',
    '@aws-sdk/client-s3',
    '@aws-sdk/client-secrets-manager',
    '@google-cloud/firestore',
  ])('%s is never imported statically', (heavy) => {
    const statically = packages.flatMap((name) =>
      sourcesOf(join(root, 'packages', name, 'src')).flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => new RegExp(`^(?:import|export) (?!type\\b).*from '${heavy}(?:/|')`).test(line))
          .map((line) => `${relative(root, file)}: ${line}`),
      ),
    );
    expect(statically).toEqual([]);
  });

  it.each(['refresh', 'sign-in', 'backend', 'tokens', 'http', 'protocol', 'provider'])('core/src/%s knows no entra', (room) => {
    const imports = importsOf('core').filter(({ from }) => from.startsWith(`packages/core/src/${room}/`));
    expect(imports.filter(({ specifier }) => specifier.includes('/entra/')).map(told)).toEqual([]);
  });

  it('core/src/tokens does no I/O', () => {
    const imports = importsOf('core').filter(({ from }) => from.startsWith('packages/core/src/tokens/'));
    expect(imports.filter((it) => isBuiltIn(it) && !['node:crypto'].includes(it.specifier)).map(told)).toEqual([]);
  });

  it('the environment is read in @tokenry/env and for the proxy, nowhere else', () => {
    const readers = packages
      .flatMap((name) => sourcesOf(join(root, 'packages', name, 'src')))
      .filter((file) => /\bprocess\s*\.\s*env\b|\bprocess\['env'\]|\benv\b[^;\n]*from 'node:process'/.test(codeOf(file)))
      .map((file) => relative(root, file).split(sep).join('/'));
    expect(readers.filter((file) => !file.startsWith('packages/env/') && !file.startsWith('packages/core/src/http/'))).toEqual(
      [],
    );
  });

  it('no source awaits at its top level, exports a default, or uses any', () => {
    const offenders = packages
      .flatMap((name) => sourcesOf(join(root, 'packages', name, 'src')))
      .filter((file) => !/[/\\]src[/\\](?:cli|bin|server)/.test(file))
      .filter((file) => /^(?:export default|await |(?:const|let) .* = await )|: any\b|<any>|\bas any\b/m.test(codeOf(file)));
    expect(offenders.map((file) => relative(root, file))).toEqual([]);
  });
});

function packageFolder({ from }: Import): string {
  return join(root, ...from.split('/').slice(0, 3));
}
