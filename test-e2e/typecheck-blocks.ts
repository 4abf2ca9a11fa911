import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A TypeScript block of a page. */
export interface CodeBlock {
  readonly page: string;
  readonly code: string;
  /** Line of the page on which the code starts, from 1. */
  readonly line: number;
}

const IMPORTED = /(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?/;
const DECLARED = /\b(?:const|let|class|function|interface|type)\s+(?:\{([^}]*)\}|(\w+))/g;
const DIAGNOSTIC = /^(?:.*[/\\])?(\d+)\.ts\((\d+),\d+\): error (TS\d+): (.*)$/gm;

/**
 * What the compiler says against the blocks, as `page:line: message`. A reader reads from the top: what an earlier block of
 * the page imported or declared is known in later ones. `given` names what a page leaves to its readers.
 */
export function typecheckBlocks(
  root: string,
  blocks: readonly CodeBlock[],
  given: Readonly<Record<string, readonly string[]>>,
): string[] {
  const folder = join(root, '.tokenry', `docs-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const programs = blocks.map((block, index) => programOf(block, blocks.slice(0, index)));
    for (const [index, { text }] of programs.entries()) writeFileSync(join(folder, `${index}.ts`), text);
    const files = programs.map((_, index) => `${index}.ts`);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configOf(root, files)));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    const said = [...stdout.matchAll(DIAGNOSTIC)];
    // It failed without a word about any block: nothing was examined.
    if (status !== 0 && said.length === 0) return [`${stdout}${stderr}`];
    return said.flatMap(([, file, line, code, message = '']) => {
      const [block, program] = [blocks[Number(file)], programs[Number(file)]];
      if (!block || !program) return [stdout];
      const known = [...(given[block.page] ?? []), ...program.declaredBefore];
      if (/^TS(2304|2307|2552|2593|18004)$/.test(code ?? '') && known.includes(/'\.?\/?([^']+)'/.exec(message)?.[1] ?? ''))
        return [];
      return [`${block.page}:${block.line + Number(line) - 2}: ${code} ${message}`];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function programOf(block: CodeBlock, before: readonly CodeBlock[]) {
  const ownNames = new Set(importsIn(block.code).flatMap(({ names }) => names));
  const earlier = before.filter(({ page }) => page === block.page);
  const carried = new Map<string, string>();
  for (const { names, from } of earlier.flatMap(({ code }) => importsIn(code)))
    for (const name of names) if (!ownNames.has(name)) carried.set(name, `import { ${name} } from '${from}';`);
  const head = [...carried.values(), 'export {};'].join(' ');
  return { text: `${head}\n${block.code}`, declaredBefore: earlier.flatMap(({ code }) => declarationsIn(code)) };
}

function importsIn(code: string) {
  return [...code.matchAll(/^import\s+(?:type\s+)?([^;]*?)\s+from\s*'([^']+)';/gm)].map(([, what = '', from = '']) => ({
    from,
    names:
      /\{([^}]*)\}/
        .exec(what)?.[1]
        ?.split(',')
        .map((name) => IMPORTED.exec(name.trim())?.[1] ?? '')
        .filter(Boolean) ?? [],
  }));
}

function declarationsIn(code: string): string[] {
  return [...code.matchAll(DECLARED)].flatMap(([, pattern, name]) =>
    pattern === undefined ? [name ?? ''] : pattern.split(',').map((part) => (part.split(':').at(-1) ?? '').trim()),
  );
}

function configOf(root: string, files: readonly string[]) {
  return {
    extends: join(root, 'tsconfig.check.json'),
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      // Types of one import may be used by one block only.
      verbatimModuleSyntax: false,
      lib: ['es2024', 'esnext.disposable'],
      typeRoots: [join(root, 'node_modules/@types')],
      paths: {
        '@tokenry/core': [join(root, 'packages/core/src/index.ts')],
        '@tokenry/core/*': [join(root, 'packages/core/src/exports/*.ts')],
        '@tokenry/*': [join(root, 'packages/*/src/index.ts')],
      },
    },
    include: [],
    files,
  };
}
