// Writes the JavaScript of core and of the file backend: one file per entry plus what entries share, because loading 140
// small modules takes Node.js longer than everything that a program does with a stored token. The compiler writes the types
// beside it.
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

for (const name of readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', name);
  // Packages of a few files are what the compiler makes of them.
  if (!read(join(folder, 'tsconfig.json')).compilerOptions.emitDeclarationOnly) continue;
  const entries = entriesOf(read(join(folder, 'package.json')));
  if (isUpToDate(folder, Object.keys(entries))) continue;
  const { output } = await build({
    input: Object.fromEntries(Object.entries(entries).map(([entry, source]) => [entry, join(folder, source)])),
    cwd: folder,
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !/^[a-z]:/i.test(id),
    platform: 'node',
    output: {
      dir: join(folder, 'dist'),
      format: 'esm',
      comments: false,
      entryFileNames: '[name].js',
      chunkFileNames: 'shared/[name]-[hash].js',
      // One file, because a program that uses a backend needs all of it anyway.
      codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
    },
    logLevel: 'warn',
  });
  removeStale(join(folder, 'dist'), new Set(output.map(({ fileName }) => fileName)));
}

/** Shared files of earlier builds, which nobody would want in a package; programs that run now may still load the latest. */
function removeStale(dist, written) {
  const shared = join(dist, 'shared');
  if (!existsSync(shared)) return;
  const anHourAgo = Date.now() - 3_600_000;
  for (const name of readdirSync(shared)) {
    const file = join(shared, name);
    if (name.endsWith('.js') && !written.has(`shared/${name}`) && statSync(file).mtimeMs < anHourAgo) rmSync(file);
  }
}

/** `exports/backend` → `src/exports/backend.ts`, for every file that package.json names. */
function entriesOf({ exports, bin = {} }) {
  const files = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)];
  const names = files
    .filter((file) => file?.endsWith('.js'))
    .map((file) => relative('dist', file).replaceAll('\\', '/').slice(0, -3));
  return Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
}

function isUpToDate(folder, names) {
  const outputs = names.map((name) => join(folder, 'dist', `${name}.js`));
  if (!outputs.every((file) => existsSync(file))) return false;
  const oldest = Math.min(...outputs.map((file) => statSync(file).mtimeMs));
  const sources = readdirSync(join(folder, 'src'), { recursive: true }).map((file) => join(folder, 'src', file));
  const rules = [join(folder, 'package.json'), join(folder, 'tsconfig.json'), fileURLToPath(import.meta.url)];
  return [...sources, ...rules].every((file) => statSync(file).mtimeMs < oldest);
}
