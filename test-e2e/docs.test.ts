import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultLeaseTiming } from '../packages/core/src/backend/lease-timing.js';
import { recordCacheOptions } from '../packages/core/src/backend/record-cache.js';
import { defaultWindows } from '../packages/core/src/refresh/policy.js';
import { type CodeBlock, typecheckBlocks } from './typecheck-blocks.js';

/** What the documentation says about this repository, compared with it. */
const root = fileURLToPath(new URL('..', import.meta.url));
const IGNORED = new Set(['node_modules', 'dist', '.git', '.tokenry', 'coverage', 'bench-results', '.nx']);

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (IGNORED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path, ending) : entry.name.endsWith(ending) ? [path] : [];
  });
}

const pages = filesIn(root, '.md').map((path) => ({ page: relative(root, path), text: readFileSync(path, 'utf8') }));
const packages = readdirSync(join(root, 'packages'));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const withoutCode = (text: string) => text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
const codeBlocks = (text: string, languages: RegExp) =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter((match) => languages.test(match[1] ?? ''))
    .map((match) => match[2] ?? '');

/** GitHub's anchors for headings. */
const anchorsOf = (text: string) =>
  [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#+ +(.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );

describe('pages', () => {
  it('are found at all', () => {
    expect(pages.map(({ page }) => page)).toEqual(
      expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/from-python-o365.md']),
    );
  });

  it.each(pages)('$page links only to files and headings that exist', ({ page, text }) => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const broken = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? join(root, page) : join(root, dirname(page), path);
        if (!existsSync(target)) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it.each(pages)('$page names only commands of package.json', ({ text }) => {
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? '');
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it.each(pages)('$page names no file under packages, examples, test-e2e or scripts that is missing', ({ text }) => {
    const named = [...text.matchAll(/`((?:packages|examples|test-e2e|scripts|bench|docs)\/[\w./-]+\.\w+)`/g)];
    expect(named.map((match) => match[1] ?? '').filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md').replaceAll(/\s+/g, ' ');
  const seconds = (ms: number) => `${ms / 1000} s`;
  const minutes = (ms: number) => `${ms / 60_000} min`;

  it('states the defaults that the code has', () => {
    const { ttlMs, renewEveryMs, waitMs } = defaultLeaseTiming;
    expect(text).toContain(
      `Time to live ${seconds(ttlMs)}, renewed every ${seconds(renewEveryMs)}, waited for ${seconds(waitMs)}`,
    );
    const { softWindowMs, hardWindowMs } = defaultWindows;
    expect(text).toContain(`soft window (${minutes(softWindowMs)}`);
    expect(text).toContain(`hard one (${seconds(hardWindowMs)}`);
    const { maxRecords, revalidateAfterMs, maxStalenessMs } = recordCacheOptions(undefined, {});
    expect(text).toContain(`record cache (${maxRecords.toLocaleString('en').replace(',', ' ')} by default)`);
    expect(text).toContain(`\`revalidateAfterMs\` (${seconds(revalidateAfterMs)}`);
    expect(text).toContain(`\`maxStalenessMs\` (${minutes(maxStalenessMs)})`);
  });

  it('gives a reason for every dependency, and for none that is gone', () => {
    const manifests = packages.map((name) => JSON.parse(read(`packages/${name}/package.json`)));
    const used = manifests.flatMap(({ dependencies = {}, peerDependencies = {} }) =>
      Object.keys({ ...dependencies, ...peerDependencies }),
    );
    const foreign = new Set(used.filter((name) => !name.startsWith('@tokenry/')));
    const table = read('ARCHITECTURE.md').split('## Dependencies')[1]?.split('\n## ')[0] ?? '';
    const rows = [...table.matchAll(/^\| (`.*?) +\|/gm)].flatMap((match) => [...(match[1] ?? '').matchAll(/`([^`]+)`/g)]);
    expect(rows.map((match) => match[1] ?? '').toSorted()).toEqual([...foreign].toSorted());
  });

  it('has a row for every backend wherever backends are listed', () => {
    const backends = packages.filter((name) => existsSync(join(root, `packages/${name}/src/${name}-token-backend.ts`)));
    expect(backends.length).toBeGreaterThan(5);
    for (const page of ['README.md', 'ARCHITECTURE.md'])
      expect(backends.filter((name) => !new RegExp(`^\\| .*\\b${name}\\b`, 'm').test(read(page)))).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const sources = filesIn(join(root, 'packages/core/src'), '.ts').map((path) => readFileSync(path, 'utf8'));
  const errors = filesIn(join(root, 'packages/core/src/errors'), '.ts')
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');

  it('has a heading for every code that core throws or warns with', () => {
    const thrown = sources
      .flatMap((text) => [...text.matchAll(/code(?:\??:| =|Error\w*,) '(TOKENRY_[A-Z_]+[A-Z])'/g)])
      .map((match) => match[1] ?? '');
    const codes = new Set([...thrown, 'TOKENRY_INVALID_ARGUMENT', 'TOKENRY_UNKNOWN_OPTION', 'TOKENRY_OUT_OF_RANGE']);
    expect(codes.size).toBeGreaterThan(22);
    const headings = [...read('docs/errors.md').matchAll(/^### (TOKENRY_\w+)$/gm)].map((match) => match[1] ?? '');
    expect([...codes].filter((code) => !headings.includes(code))).toEqual([]);
    expect(headings.filter((code) => !codes.has(code))).toEqual([]);
  });

  it('names every class under its code, and says which are retryable', () => {
    const classes = [...errors.matchAll(/^export class (\w+Error)[\s\S]*?^\}/gm)];
    const wrong = classes.filter(([text, name = '']) => {
      const code = /code = '(\w+)'/.exec(text)?.[1] ?? '';
      const section = read('docs/errors.md').split(`### ${code}\n`)[1]?.split('\n#')[0] ?? '';
      const retryable = /retryable = true/.test(text);
      return !section.trim().startsWith(`\`${name}\`${retryable ? ', retryable.' : '.'}`);
    });
    expect(classes.length).toBeGreaterThan(18);
    expect(wrong.map((match) => match[1])).toEqual([]);
  });
});

/** Code without what only the formatter decides. */
const squeezed = (code: string) => code.replaceAll(/\s+/g, '').replaceAll(/,(?=[)\]}])/g, '');

/** Pages whose code is compiled elsewhere, as a whole. */
const compiled = [
  { page: 'docs/from-python-o365.md', example: 'examples/from-python-o365.ts' },
  { page: 'docs/from-msal-python.md', example: 'examples/from-msal-python.ts' },
];

describe('migration guides', () => {
  it.each(compiled)('every TypeScript block of $page is in $example', ({ page, example }) => {
    const code = squeezed(read(example));
    const blocks = codeBlocks(read(page), /^ts$/);
    expect(blocks.length).toBeGreaterThan(1);
    expect(blocks.filter((block) => !code.includes(squeezed(block)))).toEqual([]);
  });

  it.each(compiled)('every row of $page with code for us has it from $example', ({ page, example }) => {
    const code = squeezed(read(example));
    const rows = [...read(page).matchAll(/^\| (?!-)(.*) \|$/gm)].map((match) => (match[1] ?? '').split(/\s+\|\s*/));
    const ours = rows.flatMap(([, second = '']) => /^`([^`]+)`$/.exec(second)?.[1] ?? []);
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.filter((cell) => !/^\w+Error$/.test(cell) && !code.includes(squeezed(cell)))).toEqual([]);
  });
});

/** What a README leaves to its readers: files and functions of their own. */
const LEFT_TO_READERS: Readonly<Record<string, readonly string[]>> = {
  'docs/errors.md': ['account'],
  'packages/firestore/README.md': ['firebase-admin/app', 'firebase-admin/firestore'],
  'packages/conformance/README.md': ['blob-token-backend.js', 'makeEmptyContainer', 'proxy', 'server', 'folder', 'user', 'it'],
};

const blocksOf = (page: string): CodeBlock[] => {
  const text = read(page);
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    code: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length + 1,
  }));
};

describe('examples/README.md', () => {
  it('lists every example', () => {
    const parts = ['dev-certificate.ts', 'start-second-process.ts'];
    const examples = readdirSync(join(root, 'examples')).filter((file) => /(?<!\.test)\.ts$/.test(file) && !parts.includes(file));
    expect(examples.filter((file) => !read('examples/README.md').includes(`(${file})`))).toEqual([]);
  });
});

describe('READMEs', () => {
  const readmes = ['README.md', 'docs/errors.md', ...packages.map((name) => `packages/${name}/README.md`)].filter((page) =>
    existsSync(join(root, page)),
  );

  it('would be found to show code that the compiler refuses, or cannot be asked about', () => {
    const wrong = { page: 'x.md', code: "const text = 'a';\nconst count: number = text;", line: 7 };
    expect(typecheckBlocks(root, [wrong], {})).toEqual([expect.stringMatching(/^x\.md:8: TS2322 /)]);
    const elsewhere = mkdtempSync(join(tmpdir(), 'tokenry-docs-'));
    onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
    expect(typecheckBlocks(elsewhere, [wrong], {})).toEqual([expect.stringContaining('Cannot find module')]);
  }, 120_000);

  it('show code that the compiler accepts', () => {
    const blocks = readmes.flatMap(blocksOf);
    expect(blocks.length).toBeGreaterThan(10);
    expect(typecheckBlocks(root, blocks, LEFT_TO_READERS)).toEqual([]);
  }, 300_000);

  const HEADINGS = [
    'Install',
    'Use',
    'Options',
    'What it guarantees',
    'Permissions it needs',
    'When it fails',
    'Cost and limits',
    'Try it locally',
  ];

  it.each(packages)('%s has the headings that every package has, in their order', (name) => {
    const headings = [...read(`packages/${name}/README.md`).matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? '');
    expect(headings.filter((heading) => HEADINGS.includes(heading))).toEqual(HEADINGS);
  });

  it.each(packages)('%s installs and imports only packages that exist', (name) => {
    const blocks = codeBlocks(read(`packages/${name}/README.md`), /^(?:ts|sh)$/).join('');
    const named = [...blocks.matchAll(/@tokenry\/([\w-]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((other) => !packages.includes(other))).toEqual([]);
  });
});
